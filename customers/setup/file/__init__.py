"""The project's set-up as a file (`manage.py configure`): first all of it is read, then all of it is checked,
and only a file without faults is written.

What the file names is made or changed; what it leaves out stays as it is. Each app declares the sections of
its own tables.
"""
