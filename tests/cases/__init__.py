"""Files as people really send them, each through a whole import: dry run, run, report."""
