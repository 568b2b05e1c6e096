"""The admin of the decisions: merge journal with undo, pairs held apart and to review, what else is kept."""

from dedup.admin import decisions, requests

__all__ = ["decisions", "requests"]
