"""What people do on the site and in the app: taken in at once, resolved in batches, kept in the activity
ledger (R47–R50).

`reading` checks what arrives, `inbox` keeps it before it is answered, `resolving` finds whose it is and
writes the ledger, `failures` keeps what could not be resolved. `sites` and `pages` are the public doors,
`links` the personal links, and `retention` lets old anonymous activity go.
"""
