"""The web application for an ASGI server. WSGI is faster here: no page or door of this project is asynchronous."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durable_ops.settings")
application = get_asgi_application()
