"""The decision who is who. Pure: records and what is known in, outcomes and changes out.

Read in this order: `record` (what comes in), `world` and `unit_of_work` (what is known), `finding` (whom the
record is about), `vetoes` (who may not be one), `priority` (who goes first), `survivorship` (what a merged
profile is made of). Then `resolve`, the whole decision, with its stages `applying`, `new_customer`,
`matching` and `settling` on one `context`; and last `merge`, `undo` and `explain`.
"""
