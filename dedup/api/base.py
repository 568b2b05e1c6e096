"""What every POST has in common: who calls, and the same answer for the same Idempotency-Key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.base import ApiView, access, actor_of
from customers.models import Scopes
from customers.setup.integration_points import STAFF
from customers.setup.project_config import ProjectConfig, project_config
from dedup.api.idempotency import REPLAYED, Reply, once
from dedup.api.serialization import result_json
from dedup.operations.base import Caller, Result
from dedup.parsing.records import Parser


def caller_of(request: Request, config: ProjectConfig | None = None) -> Caller:
    """Who calls: a key through its integration point, or a member of staff."""
    key, who = access(request), actor_of(request)
    point = key.point if key else STAFF
    return Caller(actor=who["actor"], point=point, user_id=who["user_id"], read_with=config)


class Call:
    """A request as the operations need it: its body, who calls, the set-up, and the parser for that point."""

    def __init__(self, request: Request) -> None:
        self.data: Any = request.data
        key = access(request)
        self.config: ProjectConfig = project_config(key.setup if key else None)
        self.caller = caller_of(request, self.config)
        self.parser = Parser(self.caller.point, self.config, timezone.now())

    def reply(self, result: Result, status: int = 200) -> Reply:
        return Reply(status, result_json(result, self.config))


class OperationView(ApiView):
    """A POST. `act` does the work and returns the reply; refusals are raised."""

    scope = Scopes.WRITE

    def act(self, call: Call) -> Reply:
        raise NotImplementedError

    def post(self, request: Request, **_path: Any) -> Response:
        reply = once_per_key(request, lambda: self.act(Call(request)))
        headers = {REPLAYED: "true"} if reply.is_replayed else None
        return Response(reply.body, status=reply.status, headers=headers)


def once_per_key(request: Request, work: Callable[[], Reply], body: Any = None) -> Reply:
    """The reply of `work`, or the first reply to the same Idempotency-Key. `body` is what is compared where
    the request's own cannot be, such as a file.
    """
    key = request.headers.get("Idempotency-Key")
    if not key:
        return work()
    holder = access(request)
    scope = f"key:{holder.key_id}" if holder else f"user:{request.user.pk}"
    return once(scope, key, [request.path_info, request.data if body is None else body], work)
