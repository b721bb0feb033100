"""The app of Django's admin, for INSTALLED_APPS. Django reads it before any model exists, so it names its site by path."""

from django.contrib.admin.apps import AdminConfig


class ConsoleAdminConfig(AdminConfig):
    default_site = "durable_ops.django_admin.site.ConsoleAdminSite"
