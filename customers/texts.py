"""Marking sentences for translation where Django is out of reach: the pure modules say what can be said, and
whoever shows it translates it.
"""


def gettext_noop(message: str) -> str:
    """The message itself, unchanged; `makemessages` finds it by this function's name. Whoever shows it calls
    gettext.
    """
    return message
