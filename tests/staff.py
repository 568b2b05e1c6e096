"""Members of staff and the addresses of their pages."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse


def user(role: str | None = None) -> User:
    """A member of staff; without a role, the one who may do everything."""
    made = User.objects.create_user(role or "admin", is_staff=True, is_superuser=role is None)
    if role:
        made.groups.add(Group.objects.get(name=role))
    return made


def signed_in(role: str | None = None) -> Client:
    client = Client()
    client.force_login(user(role))
    return client


def address(model: type[Model], page: str = "changelist", *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def levels(response: Any) -> list[str]:
    """Of the messages that a page shows, such as `success`."""
    return [message.level_tag for message in response.context["messages"]]
