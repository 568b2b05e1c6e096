from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config.health import healthz, readyz
from config.metrics import metrics
from dedup.confirmation.pages import confirm
from dedup.tracking.pages import TrackView, personal_link

# The view has one format, in which there is no answer to OPTIONS.
docs = SpectacularSwaggerSplitView.as_view(url_name="schema", http_method_names=["get", "head"])

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    # The app that decides comes first, so that its operations win over the reads of the same prefix.
    path("api/v1/", include("dedup.api.urls")),
    path("api/v1/", include("segments.api.urls")),
    path("api/v1/", include("customers.api.urls")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", docs, name="docs"),
    path("confirm/<str:token>/", confirm, name="confirm"),
    path("r/<str:token>/", personal_link, name="personal-link"),
    path("track/", TrackView.as_view(), name="track"),
    path("healthz/", healthz),
    path("readyz/", readyz),
    path("metrics", metrics, name="metrics"),
]

handler400 = "config.problems.bad_request"
handler403 = "config.problems.permission_denied"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
