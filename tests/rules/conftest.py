"""The rules are tested in the same projects as the stories."""

from tests.scenarios.conftest import pass_time, project, quick_emptying, story, texts

__all__ = ["pass_time", "project", "quick_emptying", "story", "texts"]
