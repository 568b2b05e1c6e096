from django.apps import AppConfig


class Config(AppConfig):
    """Holds the management commands that set up and run the project."""

    name = "config"
    verbose_name = "Selfsame"
