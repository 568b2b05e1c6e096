"""What every view of the API has in common."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.views import APIView

from customers.api.access import AUTHENTICATION, KeyThrottle, ScopePermission
from customers.models import Scopes


class ApiView(APIView):
    """`scope` is what a key needs, by method where they differ; members of staff may only do what needs
    `staff_scope`, with `staff_permission`.
    """

    authentication_classes = AUTHENTICATION
    permission_classes = (ScopePermission,)
    throttle_classes = (KeyThrottle,)
    scope: ClassVar[Scopes] = Scopes.READ
    scopes: ClassVar[dict[str, Scopes]] = {}
    staff_scope: ClassVar[Scopes] = Scopes.READ
    staff_permission: ClassVar[str] = "customers.view_customer"

    def scope_of(self, request: Request) -> Scopes:
        return self.scopes.get(request.method or "", self.scope)
