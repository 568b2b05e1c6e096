"""Filtered lists of customers that members of staff save under a name, each for themselves."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from customers.models import SavedFilter

NOT_FILTERS = ("p", "o", "q", "below", "_changelist_filters", "e")
"""Parameters of the list that are not filters: page, order, where a search continues, error, and the search
term, which may name a person and would outlast an erasure (R54).
"""


class SaveForm(forms.ModelForm[SavedFilter]):
    class Meta:
        model = SavedFilter
        fields = ("name", "query")

    def clean_query(self) -> str:
        return filters_in(QueryDict(self.cleaned_data["query"])).urlencode()


def urls() -> list[URLPattern]:
    wrap = admin.site.admin_view
    return [
        path("saved/", wrap(save), name="customers_customer_save_filter"),
        path("saved/<int:pk>/forget/", wrap(delete), name="customers_customer_forget_filter"),
    ]


def as_user(request: HttpRequest) -> User:
    """Nobody else gets into the admin."""
    assert isinstance(request.user, User)
    return request.user


def filters_of(request: HttpRequest) -> dict[str, Any]:
    """The user's saved filters, and the present one as it would be saved."""
    present = filters_in(request.GET)
    own = SavedFilter.objects.filter(user=as_user(request)).order_by("name")
    return {"own": own, "present": present.urlencode()}


def filters_in(given: QueryDict) -> QueryDict:
    """Those of a list's parameters that are filters."""
    filters = given.copy()
    for name in [name for name in given if name in NOT_FILTERS or not given[name]]:
        del filters[name]
    return filters


def save(request: HttpRequest) -> HttpResponse:
    """Save a filter; one of the same name is replaced."""
    if request.method != "POST" or not request.user.has_perm("customers.view_customer"):
        raise PermissionDenied
    form = SaveForm(request.POST)
    query = request.POST.get("query", "")[:2000]
    if form.is_valid():
        values = {"query": form.cleaned_data["query"]}
        SavedFilter.objects.update_or_create(
            values, user=as_user(request), name=form.cleaned_data["name"].strip()
        )
        messages.success(request, _("The filter has been saved."))
    else:
        messages.error(request, _("Give the filter a name of at most 100 characters."))
    return HttpResponseRedirect(_list(query))


def delete(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method != "POST":
        raise PermissionDenied
    SavedFilter.objects.filter(pk=pk, user=as_user(request)).delete()
    return HttpResponseRedirect(_list(""))


def _list(query: str) -> str:
    """The list with a filter. The query is parsed and built anew, so that it holds nothing but parameters."""
    address = reverse("admin:customers_customer_changelist")
    parameters = urlencode(list(QueryDict(query).lists()), doseq=True)
    return f"{address}?{parameters}" if parameters else address
