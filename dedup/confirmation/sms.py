"""Sending text messages. A sender is any function of a phone in E.164 and a text, named by
SELFSAME_SMS_SENDER.
"""

import sys


def print_to_console(phone: str, text: str) -> None:
    """The sender that sends nothing: what would go out is printed."""
    sys.stdout.write(f"SMS to {phone}: {text}\n")
    sys.stdout.flush()
