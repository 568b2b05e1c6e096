"""How fast the service is, each figure against a reference measured in the same run.

    python -m tests.benchmarks [service] [http] [batch] [merge] [plans] [pages] [hammer] [--json FILE]

They run on the server of `DATABASE_URL`, or on the embedded one, in a database of their own that is dropped
afterwards. Ratios can be compared between machines, milliseconds cannot.
"""
