"""Deleting segments and segmentations, in two steps: the first shows which conditions refer to them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.errors import SelfsameError
from segments.conditions.tree import parse, segments_of
from segments.members import Actor, delete
from segments.models import Segment
from segments.references import segment_path


class Deletable:
    """Objects that may be deleted, unlike other set-up."""

    model: type[Model]
    opts: Any
    admin_site: Any

    def segments_in(self, obj: Any) -> Collection[Segment]:
        """The segments that are deleted with it, itself included."""
        raise NotImplementedError

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.delete_{self.opts.model_name}")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Only one is deleted at a time: each has its own consequences."""
        actions: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]
        actions.pop("delete_selected", None)
        return actions

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        obj = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if obj is None:
            raise Http404
        if not self.has_delete_permission(request, obj):
            raise PermissionDenied
        return self._deleted(request, obj) if request.method == "POST" else self._asked(request, obj)

    def _asked(self, request: HttpRequest, obj: Any) -> HttpResponse:
        segments = self.segments_in(obj)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Delete %(name)s?") % {"name": obj},
            "opts": self.opts,
            "object": obj,
            "segments": [segment for segment in segments if segment != obj],
            "referring": list(referring_to(segments)),
            "back": self._address("change", obj.pk),
        }
        return TemplateResponse(request, "segments/delete.html", context)

    def _deleted(self, request: HttpRequest, obj: Any) -> HttpResponse:
        who = Actor(f"user:{request.user.get_username()}", request.user.pk)
        name = str(obj)
        try:
            delete(self.segments_in(obj), who)
            type(obj).objects.filter(pk=obj.pk).delete()
        except SelfsameError as error:
            messages.error(request, error.detail)
            return HttpResponseRedirect(self._address("change", obj.pk))
        messages.success(request, _("%(name)s was deleted.") % {"name": name})
        return HttpResponseRedirect(self._address("changelist"))

    def _address(self, page: str, *args: object) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=args)


def referring_to(segments: Collection[Segment]) -> Iterator[Segment]:
    """Other segments whose condition asks for one of them."""
    gone = {segment_path(segment) for segment in segments}
    others = Segment.objects.exclude(condition=None).exclude(pk__in=[s.pk for s in segments])
    for segment in others.select_related("segmentation"):
        if gone & set(segments_of(parse(segment.condition))):
            yield segment
