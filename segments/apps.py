from django.apps import AppConfig

from customers import history, presenting, reading
from segments.history import name_segments
from segments.reading import PART, present_segments


class SegmentsConfig(AppConfig):
    name = "segments"
    verbose_name = "Segments"

    def ready(self) -> None:
        reading.register(PART)
        presenting.register("segments", present_segments)
        history.register("segment", name_segments)
