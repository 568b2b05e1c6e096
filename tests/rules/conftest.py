"""The rules are tested in the same projects as the stories."""

from tests.scenarios.conftest import pass_time, project, story, texts

__all__ = ["pass_time", "project", "story", "texts"]
