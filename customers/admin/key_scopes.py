"""Which scopes a member of staff may give to a key: what the key may see and do, they may too.

The API masks nothing, and answers an operation with the customer it changed, so most scopes take the
permission to see contacts.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, PermissionsMixin

from customers.models import Scopes

SEE_CONTACTS = "customers.view_contacts"
PERMISSIONS: dict[Scopes, tuple[str, ...]] = {
    Scopes.READ: ("customers.view_customer", SEE_CONTACTS),
    Scopes.WRITE: ("customers.edit_customer", SEE_CONTACTS),
    Scopes.PRIVACY: ("customers.change_customer", "customers.delete_customer", SEE_CONTACTS),
    Scopes.TRACK: (),
}
"""What a scope takes. The app above adds those of its own operations."""

Staff = AbstractBaseUser | PermissionsMixin | AnonymousUser


def may_give(user: Staff, scope: str) -> bool:
    """Whether this member of staff may give a key the scope."""
    needed = PERMISSIONS.get(Scopes(scope))
    if needed is None:
        return bool(getattr(user, "is_superuser", False))
    return all(user.has_perm(permission) for permission in needed)  # type: ignore[union-attr]


def beyond(user: Staff, scopes: Iterable[str]) -> list[str]:
    """The scopes among these that they may not give, by their labels."""
    return [str(Scopes(scope).label) for scope in scopes if not may_give(user, scope)]
