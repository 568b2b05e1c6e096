"""What the profile page is made of: tabs, actions in its header, and pages of their own below it.

The apps above add theirs from their `admin` module, which the admin loads once every model is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise

from customers.presentation.masking import MaskingPolicy
from customers.profile import Profile
from customers.setup.project_config import ProjectConfig

VIEW = "customers.view_customer"
Words = str | Promise


def masking_of(request: HttpRequest) -> MaskingPolicy:
    """What is masked for a reader."""
    return MaskingPolicy(lifted=request.user.has_perm("customers.view_contacts"))


@dataclass(frozen=True)
class ShownProfile:
    """A profile as one request sees it: the whole profile, read once, and what of it is masked."""

    request: HttpRequest
    profile: Profile
    config: ProjectConfig
    masking: MaskingPolicy

    @property
    def maestra_id(self) -> int:
        return self.profile.maestra_id

    @cached_property
    def maestra_ids(self) -> list[int]:
        return sorted(self.profile.maestra_ids)

    def may(self, permission: str) -> bool:
        return self.request.user.has_perm(permission)

    def address(self, slug: str) -> str:
        """Of a tab of this profile."""
        return tab_address(self.maestra_id, slug)


@dataclass(frozen=True, slots=True)
class ProfileTab:
    """A part of the profile at an address of its own. `context` makes what its template shows; it must take
    a fixed number of queries, whatever the profile's size. Tabs stand in the order of `order`.
    """

    slug: str
    title: Words
    template: str
    context: Callable[[ShownProfile], dict[str, Any]]
    order: int = 100
    permission: str = VIEW


@dataclass(frozen=True, slots=True)
class ProfileAction:
    """Something to do with the profile, in its header. `address` may be None where it does not apply.

    With `post` it is a button that sends these fields, and the page it leads to asks before anything is
    done.
    """

    title: Words
    icon: str
    address: Callable[[ShownProfile], str | None]
    permission: str
    order: int = 100
    post: Callable[[ShownProfile], dict[str, str]] | None = None
    is_dangerous: bool = False


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """A page below the profile's address, such as a form."""

    slug: str
    view: Callable[[ShownProfile], HttpResponse]
    permission: str = VIEW


@dataclass(slots=True)
class _Registered:
    tabs: dict[str, ProfileTab] = field(default_factory=dict)
    actions: list[ProfileAction] = field(default_factory=list)
    pages: dict[str, ProfilePage] = field(default_factory=dict)


_registered = _Registered()


def register_tab(tab: ProfileTab) -> None:
    _registered.tabs[tab.slug] = tab


def register_action(action: ProfileAction) -> None:
    _registered.actions.append(action)


def register_page(page: ProfilePage) -> None:
    _registered.pages[page.slug] = page


def tabs_for(shown: ShownProfile) -> list[ProfileTab]:
    """Those the reader may open, in order."""
    allowed = [tab for tab in _registered.tabs.values() if shown.may(tab.permission)]
    return sorted(allowed, key=lambda tab: tab.order)


def actions_for(shown: ShownProfile) -> list[ProfileAction]:
    allowed = [action for action in _registered.actions if shown.may(action.permission)]
    return sorted(allowed, key=lambda action: action.order)


def tab(slug: str) -> ProfileTab | None:
    return _registered.tabs.get(slug)


def page(slug: str) -> ProfilePage | None:
    return _registered.pages.get(slug)


def profile_address(maestra_id: int) -> str:
    return reverse("admin:customers_customer_change", args=[maestra_id])


def tab_address(maestra_id: int, slug: str) -> str:
    return reverse("admin:customers_customer_tab", args=[maestra_id, slug])


def page_address(maestra_id: int, slug: str) -> str:
    return reverse("admin:customers_customer_page", args=[maestra_id, slug])
