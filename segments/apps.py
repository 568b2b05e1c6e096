from django.apps import AppConfig

from customers.history import reading
from customers.presentation import customer
from customers.storage import loading
from segments.history import name_segments
from segments.profile_part import PART, present_segments


class SegmentsConfig(AppConfig):
    name = "segments"
    verbose_name = "Segments"

    def ready(self) -> None:
        loading.register_part(PART)
        customer.register_presenter("segments", present_segments)
        reading.register_namer("segment", name_segments)
