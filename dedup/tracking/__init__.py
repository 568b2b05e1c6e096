"""What people do on the site and in the app: taken in at once, resolved in batches, kept in the activity
ledger (R47–R50).

`event_reader` checks what arrives, `inbox` keeps it before the request is answered, `resolver` finds out
whose it is and writes the ledger, `failures` keeps what could not be resolved. `sites` and `pages` are the
public endpoints, `identify_calls` what a page may say about its visitor, `links` the personal links;
`retention` deletes old anonymous activity.
"""
