"""The web application for any WSGI server, for example `gunicorn durable_ops.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durable_ops.settings")
django_application = get_wsgi_application()

from durable_ops.web.quick_poll import QuickPoll  # noqa: E402, after the settings

application = QuickPoll(django_application)
