"""Marking sentences for translation where Django is out of reach: the pure modules say what can be said, and
whoever shows it translates it.
"""


def gettext_noop(message: str) -> str:
    """The message, unchanged. `makemessages` finds it by the name of this function."""
    return message
