"""The web application for any WSGI server, for example `gunicorn durable_ops.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durable_ops.settings")
application = get_wsgi_application()
