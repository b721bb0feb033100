"""The Celery application. `celery -A durable_ops worker` starts the processes in which durable functions execute."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durable_ops.settings")

app = Celery("durable_ops")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
