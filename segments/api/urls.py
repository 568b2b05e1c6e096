from django.urls import path

from segments.api import views

urlpatterns = [
    path("customers/", views.CustomersView.as_view(), name="customers"),
    path("segmentations/", views.SegmentationsView.as_view(), name="segmentations"),
]
