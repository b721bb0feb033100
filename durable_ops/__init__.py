"""The project and the people's side: console, REST, approvals, audit, costs, and how to start it all."""

from durable_ops.celery import app as celery_app

__all__ = ["celery_app"]
