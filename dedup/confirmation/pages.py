"""The one page customers themselves see: where the link of a confirmation leads (R45)."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from customers.errors import SelfsameError
from customers.presentation.problem import headers_of
from dedup.confirmation.confirming import confirm_by_token

PAGE = "confirm.html"


@never_cache
@csrf_exempt  # the token in the address is the proof, and the page needs no cookie
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET only asks, because mail programs open links by themselves; the button (POST) confirms."""
    if request.method != "POST":
        return render(request, PAGE, {"state": "ask"})
    try:
        confirm_by_token(token)
    except SelfsameError as refusal:
        page = render_to_string(PAGE, {"state": "refused", "refusal": refusal}, request)
        return HttpResponse(page, status=refusal.status, headers=headers_of(refusal))
    return render(request, PAGE, {"state": "done"}, status=HTTPStatus.OK)
