"""Bulk imports: from a file of any size to customers, through the one engine (R11, R17, R44)."""
