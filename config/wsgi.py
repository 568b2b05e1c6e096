"""The application that web servers run."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

NEW_OBJECTS = 10_000
"""How many make a collection worthwhile: of those that a request makes, hardly any outlives it."""

application = get_wsgi_application()

# What a request needs is loaded now and stays. The collector shall not look at it again and again.
get_resolver().url_patterns  # noqa: B018 - it is imported with the first look
gc.collect()
gc.freeze()
gc.set_threshold(NEW_OBJECTS)
