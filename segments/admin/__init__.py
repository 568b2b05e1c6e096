"""The admin of segments: their conditions, their recalculation and their members."""

from segments.admin import members, on_profile, segmentations, segments

__all__ = ["members", "on_profile", "segmentations", "segments"]
