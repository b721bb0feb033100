"""Django's admin as this project installs it; apart from its site, which needs models."""

from django.contrib.admin.apps import AdminConfig


class ConsoleAdminConfig(AdminConfig):
    default_site = "durable_ops.admin_site.ConsoleAdminSite"
