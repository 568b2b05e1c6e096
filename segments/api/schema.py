"""What the OpenAPI schema says of segmentations (see `customers.api.schema`)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from customers.api.schema import text
from segments.models import SegmentationKinds


class SegmentSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    system_name = text()
    name = text()


class SegmentationSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    system_name = text()
    name = text()
    kind = serializers.ChoiceField(choices=SegmentationKinds.choices)
    segments = SegmentSerializer(many=True)
