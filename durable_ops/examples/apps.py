"""The examples as a Django app of their own, so that a product can leave them out."""

from django.apps import AppConfig


class ExamplesConfig(AppConfig):
    name = "durable_ops.examples"
    label = "durable_examples"
    verbose_name = "Durable Ops examples"
    default_auto_field = "django.db.models.BigAutoField"
