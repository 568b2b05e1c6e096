"""What all views of the API have in common: who may call them, and how often."""

from __future__ import annotations

from typing import Any, ClassVar, TypedDict

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.metadata import SimpleMetadata
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from customers.errors import ErrorCode, SelfsameError
from customers.models import Scopes
from customers.presentation.masking import MaskingPolicy
from customers.redis.rate_limit import Allowance, counted
from customers.setup.integration_points import Access, access_of

SCHEME = "Api-Key"


class KeyUser(AnonymousUser):
    """Stands for the holder of a key where Django asks for a user."""

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]
        return True


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <key>`; `request.auth` is then the key's `Access`."""

    def authenticate(self, request: Request) -> tuple[KeyUser, Access] | None:
        scheme, _, key = get_authorization_header(request).decode("latin-1").strip().partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        access = access_of(key.strip(), timezone.now())
        if access is None:
            raise AuthenticationFailed
        return KeyUser(), access

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return SCHEME


AUTHENTICATION: tuple[type[BaseAuthentication], ...] = (ApiKeyAuthentication, SessionAuthentication)


def access(request: Request) -> Access | None:
    """The key behind the request; None for a member of staff."""
    return request.auth if isinstance(request.auth, Access) else None


class Actor(TypedDict):
    """Who acts, as the history names them."""

    actor: str
    user_id: int | None
    point_id: int | None


def actor_of(request: Request) -> Actor:
    """Who the history says it was: the key, or the member of staff."""
    key = access(request)
    if key:
        return {"actor": key.actor, "user_id": None, "point_id": key.point.id}
    return {"actor": f"user:{request.user.get_username()}", "user_id": request.user.pk, "point_id": None}


class ScopePermission(BasePermission):
    """A key needs the view's scope; a member of staff may read, with the permission the view names (R13)."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scope: Scopes = view.scope_of(request)  # type: ignore[attr-defined]
        key = access(request)
        if key is None:
            return scope is view.staff_scope and _may_read(request, view)  # type: ignore[attr-defined]
        if scope.value not in key.scopes:
            detail = _("This key lacks the scope '%(scope)s'.") % {"scope": scope.value}
            raise SelfsameError(ErrorCode.PERMISSION_DENIED, detail)
        return True


SEE_CONTACTS = "customers.view_contacts"


def masking_of(request: Request) -> MaskingPolicy:
    """Contacts are masked for staff who may not see them, never for a key."""
    return MaskingPolicy(lifted=access(request) is not None or request.user.has_perm(SEE_CONTACTS))


def _may_read(request: Request, view: APIView) -> bool:
    """What masks no contacts is for those who may see them."""
    needed = [view.staff_permission, *(() if view.masks_contacts else (SEE_CONTACTS,))]  # type: ignore[attr-defined]
    return request.user.is_staff and request.user.has_perms(needed)


class KeyThrottle(BaseThrottle):
    """So many requests a minute for each key (`API_REQUESTS_PER_MINUTE`, 0 for no limit). Each answer tells
    how many are left.
    """

    allowance: Allowance | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        key = access(request)
        if key:
            self.allowance = counted(f"requests:{key.key_id}", settings.API_REQUESTS_PER_MINUTE)
        if self.allowance is None:
            return True
        view.headers.update(self.allowance.headers())
        return not self.allowance.is_exceeded

    def wait(self) -> float | None:
        return float(self.allowance.seconds_left) if self.allowance else None


class Metadata(SimpleMetadata):
    """What OPTIONS answers. What a POST takes is in the OpenAPI schema, not in a serializer of the view."""

    def determine_actions(self, request: Request, view: APIView) -> dict[str, Any]:  # noqa: ARG002
        return {}


class ApiView(APIView):
    """`scope` is what a key needs, by method where they differ; members of staff may only do what needs
    `staff_scope`, with `staff_permission`; and unless the view `masks_contacts`, they have to be such as may
    see contacts. A body `of_many` records may be larger than that of one.
    """

    authentication_classes = AUTHENTICATION
    permission_classes = (ScopePermission,)
    throttle_classes = (KeyThrottle,)
    metadata_class = Metadata
    scope: ClassVar[Scopes] = Scopes.READ
    scopes: ClassVar[dict[str, Scopes]] = {}
    staff_scope: ClassVar[Scopes] = Scopes.READ
    staff_permission: ClassVar[str] = "customers.view_customer"
    masks_contacts: ClassVar[bool] = False
    of_many: ClassVar[bool] = False

    def scope_of(self, request: Request) -> Scopes:
        return self.scopes.get(request.method or "", self.scope)

    @property
    def body_limit(self) -> int:
        """Bytes of a body (`customers.api.json_body`)."""
        limit: int = settings.MAX_BODY_SIZE if self.of_many else settings.MAX_RECORD_SIZE
        return limit
