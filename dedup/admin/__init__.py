"""The admin of the decisions: merge journal with undo, pairs held apart and to review, what else is kept."""

from dedup.admin import dashboard, decisions, editing, import_lists, on_profile, on_setup, requests, tracking

__all__ = [
    "dashboard",
    "decisions",
    "editing",
    "import_lists",
    "on_profile",
    "on_setup",
    "requests",
    "tracking",
]
