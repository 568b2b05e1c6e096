"""Sending text messages. `SELFSAME_SMS_SENDER` names the sender: any function that takes a phone in E.164 and
a text.
"""

import sys


def print_to_console(phone: str, text: str) -> None:
    """Sends nothing, and prints what would be sent."""
    sys.stdout.write(f"SMS to {phone}: {text}\n")
    sys.stdout.flush()
