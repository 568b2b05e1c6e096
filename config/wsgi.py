"""The application that web servers run."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from customers import garbage_collection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from dedup.confirmation.sms import require_sender  # noqa: E402 - needs the application

# Looking at the addresses imports what requests need, before the first one comes.
get_resolver().url_patterns  # noqa: B018
require_sender()
garbage_collection.freeze_gc()
