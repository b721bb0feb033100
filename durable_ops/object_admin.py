"""For the admin of the surrounding project: what runs and waits for a row, on its page."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from durable_ops.approvals import inbox

SHOWN = 50


class DurableObjectAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Inherit from it (before or instead of `ModelAdmin`): the page of a row shows its approvals, with links into the console."""

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), *(("durable_approvals",) if obj else ()))

    @admin.display(description="Approvals")
    def durable_approvals(self, instance: Model) -> str:
        """One indexed query."""
        rows = [
            (reverse("dashboard:approval", args=[one.pk]), one.title, one.get_outcome_display())
            for one in inbox.of_object(instance)[:SHOWN]
        ]
        return format_html("<ul>{}</ul>", format_html_join("", '<li><a href="{}">{}</a>: {}</li>', rows)) if rows else "–"
