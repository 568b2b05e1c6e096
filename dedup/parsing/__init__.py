"""JSON in, records out: the one gate through which data from outside reaches the engine (R11–R17, R44).

`dedup.parsing.records` says what a record consists of, and reads it; the cells of files are read by the same
fields.
"""
