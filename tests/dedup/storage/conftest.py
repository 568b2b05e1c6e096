"""What is stored is tested in the same projects as the stories."""

from tests.scenarios.conftest import project, story

__all__ = ["project", "story"]
