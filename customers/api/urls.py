from django.urls import path

from customers.api import views

urlpatterns = [
    path("customers/<int:maestra_id>/", views.CustomerView.as_view(), name="customer"),
    path("customers/<int:maestra_id>/history/", views.HistoryView.as_view(), name="customer-history"),
    path("customers/<int:maestra_id>/export/", views.ExportView.as_view(), name="customer-export"),
    path("customers/<int:maestra_id>/related/", views.RelatedView.as_view(), name="customer-related"),
    path(
        "customers/<int:maestra_id>/activities/", views.ActivitiesView.as_view(), name="customer-activities"
    ),
    path("customers/<int:maestra_id>/sessions/", views.SessionsView.as_view(), name="customer-sessions"),
    path("customers/<int:maestra_id>/orders/", views.OrdersView.as_view(), name="customer-orders"),
]
