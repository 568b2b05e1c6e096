"""What can be asked of a profile, as data: conditions, and groups of them (R51).

A condition is a class that says everything about itself: its stored name and its fields, its SQL, its
sentence, how the builder in the admin offers it, and what it refers to. The classes stand in modules by
subject (`contacts`, `orders`, `activity`, `personal`, `custom_fields`, `registration`); `catalogue` lists
them. `tree` reads, stores and combines conditions, `query` makes one SQL statement of them, `builder` tells
the browser about them.
"""
