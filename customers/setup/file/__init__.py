"""The project's set-up as a file (`manage.py configure`): read whole, checked whole, and only then written.

What the file names is made or changed; what it leaves out stays as it is. Each app contributes the sections
of its own tables.
"""
