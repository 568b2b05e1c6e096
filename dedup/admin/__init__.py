"""The admin of the decisions: merge journal with undo, pairs kept apart and to review, imports, sites."""

from dedup.admin import (
    dashboard,
    decision_lists,
    edit_page,
    import_lists,
    on_profile,
    on_setup,
    request_lists,
    tracking_lists,
)

__all__ = [
    "dashboard",
    "decision_lists",
    "edit_page",
    "import_lists",
    "on_profile",
    "on_setup",
    "request_lists",
    "tracking_lists",
]
