from django.urls import path

from dedup.api import activities as tracking
from dedup.api import imports, reading, segments, views

urlpatterns = [
    path("customers/register/", views.RegisterView.as_view(), name="register"),
    path("customers/upsert/", views.UpsertView.as_view(), name="upsert"),
    path("customers/edit/", views.EditView.as_view(), name="edit"),
    path("customers/lookup/", views.LookupView.as_view(), name="lookup"),
    path("customers/authorize/", views.AuthorizeView.as_view(), name="authorize"),
    path("customers/subscribe/", views.SubscribeView.as_view(), name="subscribe"),
    path("customers/confirm/", views.ConfirmView.as_view(), name="confirm"),
    path("customers/batch/", views.BatchView.as_view(), name="batch"),
    path("customers/preview/", views.PreviewView.as_view(), name="preview"),
    path("customers/merge/", views.MergeView.as_view(), name="merge"),
    path("customers/explain/", views.ExplainView.as_view(), name="explain"),
    path("customers/<int:maestra_id>/merges/", reading.MergesView.as_view(), name="customer-merges"),
    path("customers/<int:maestra_id>/opt_out/", views.OptOutView.as_view(), name="opt-out"),
    path("merges/<int:merge_id>/undo/", views.UndoView.as_view(), name="undo"),
    path("activities/", tracking.ActivitiesView.as_view(), name="activities"),
    path("personal_links/", tracking.PersonalLinksView.as_view(), name="personal-links"),
    path("orders/", views.OrdersView.as_view(), name="orders"),
    path("points/", views.PointsView.as_view(), name="points"),
    path("promo_codes/", views.PromoCodesView.as_view(), name="promo_codes"),
    path("imports/", imports.ImportsView.as_view(), name="imports"),
    path("imports/<int:import_id>/", imports.OneImportView.as_view(), name="import"),
    path("imports/<int:import_id>/report/", imports.ReportView.as_view(), name="import-report"),
    path("imports/<int:import_id>/failed/", imports.FailedView.as_view(), name="import-failed"),
    path("imports/<int:import_id>/run/", imports.RunView.as_view(), name="import-run"),
    path("imports/<int:import_id>/pause/", imports.PauseView.as_view(), name="import-pause"),
    path("imports/<int:import_id>/resume/", imports.ResumeView.as_view(), name="import-resume"),
    path("imports/<int:import_id>/cancel/", imports.CancelView.as_view(), name="import-cancel"),
    path(
        "segments/<int:segment_id>/customers/", segments.SegmentMembersView.as_view(), name="segment-members"
    ),
    path("identifiers/owner/", reading.OwnerView.as_view(), name="identifier-owner"),
]
