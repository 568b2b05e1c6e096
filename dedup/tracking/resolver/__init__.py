"""From the inbox to the activity ledger: finds out whose each event is and writes it down, exactly once.

`lanes` takes batches from the inbox, and `resolution` says in which steps a batch is resolved. All whom a
batch may touch are locked first, at once (`locks`). Most events happen on a device somebody holds and leave
nothing to decide: they belong to the holder (R50) and are written by the same few statements. Only where a
device is new, or somebody identifies or signs in on it, the engine decides (R21, R22, R48): `runs` groups
such events into records, `decisions` has the engine decide on them. A late event, from a time when the device
was somebody else's, goes to that customer (`earlier_users`, R8). `ledger` writes.
"""
