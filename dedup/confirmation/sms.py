"""Sending text messages. `SELFSAME_SMS_SENDER` names the sender: any function that takes a phone in E.164 and
a text. In production there is none by default.
"""

import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string

from customers.contact_types import CONTACT_TYPES
from customers.models import IntegrationPoint
from dedup.models import ConfirmationKinds


def send_text(phone: str, text: str) -> None:
    """By the sender of the settings."""
    if not settings.SMS_SENDER:
        raise ImproperlyConfigured("SELFSAME_SMS_SENDER names nobody who sends text messages")
    import_string(settings.SMS_SENDER)(phone, text)


def print_to_console(phone: str, text: str) -> None:
    """Sends nothing, and prints what would be sent: for development."""
    sys.stdout.write(f"SMS to {phone}: {text}\n")
    sys.stdout.flush()


def require_sender() -> None:
    """Raises `ImproperlyConfigured` where codes are to be sent and nothing sends them."""
    if settings.SMS_SENDER:
        return
    try:
        point = point_that_sends_codes()
    except DatabaseError:  # it is away, or still empty: nothing is sent either
        return
    finally:
        connection.close()
    if point:
        raise ImproperlyConfigured(
            "Selfsame does not start like this: phones must be confirmed at the integration point "
            f"'{point}', and nothing sends the codes. Set SELFSAME_SMS_SENDER to a function (phone, text) "
            "that sends a text message."
        )


def point_that_sends_codes() -> str | None:
    """The system name of an enabled point at which a contact is confirmed by a code."""
    by_code = [type_.name for type_ in CONTACT_TYPES if type_.confirmed_by == ConfirmationKinds.CODE]
    points = IntegrationPoint.objects.filter(is_enabled=True, must_be_confirmed__overlap=by_code)
    return points.values_list("system_name", flat=True).first()
