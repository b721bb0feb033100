"""Executions in Django's admin: to look at, with a way into the console for everything that changes them."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from durable_ops.actions import batches
from durable_ops.django_admin.site import actor_of
from durable_ops.models import Batch, Right
from durable_ops.permissions import access_of, has_right
from execution_engine.core.errors import CommandError
from execution_engine.models import Execution
from execution_engine.selectors.search import of_functions

COUNTED = 10_000
PAYLOADS = ("input", "result", "error")
SHOWN = ("name", "function", "version", "status", "started_at", "ended_at", "due_at", "invocations", "redrive_count", "started_by")


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most 10,000 rows, so that a page never scans a table of millions."""

    @cached_property
    def count(self) -> int:
        found: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return found.order_by().values("pk")[:COUNTED].count()


class ExecutionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read-only. The action Redrive drafts a batch of the selected executions; its page in the console asks for a reason and confirms."""

    list_display = ("name", "function", "version", "status", "started_at", "ended_at", "console")
    list_filter = ("status",)
    search_fields = ("name",)
    search_help_text = "Beginning of the name"
    ordering = ("-started_at", "-id")
    show_full_result_count = False
    paginator = BoundedPaginator
    list_per_page = 50
    actions = ("redrive",)
    fields = (*SHOWN, "console")
    readonly_fields = (*SHOWN, "console")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Execution]:
        """The executions of functions that this person may see, without their payloads."""
        functions = access_of(request.user).functions_for(Right.VIEW_EXECUTION)
        return super().get_queryset(request).filter(of_functions(functions)).defer(*PAYLOADS)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Execution:
        """Raises Http404 for what does not exist or this person may not see, where Django would redirect with a message."""
        found: Execution | None = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404("There is no such execution.")
        return found

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Execution], search_term: str) -> tuple[QuerySet[Execution], bool]:  # noqa: ARG002
        return (queryset.filter(name__startswith=search_term.strip()) if search_term.strip() else queryset), False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return has_right(request.user, Right.VIEW_EXECUTION)

    def has_view_permission(self, request: HttpRequest, obj: Execution | None = None) -> bool:  # noqa: ARG002
        return has_right(request.user, Right.VIEW_EXECUTION)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Execution | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Execution | None = None) -> bool:  # noqa: ARG002
        return False

    def has_redrive_permission(self, request: HttpRequest) -> bool:
        return has_right(request.user, Right.REDRIVE_EXECUTION)

    @admin.display(description="Console")
    def console(self, execution: Execution) -> str:
        return format_html('<a href="{}">Open in the console</a>', reverse("dashboard:execution", args=[execution.id]))

    @admin.action(description="Redrive the selected executions", permissions=["redrive"])
    def redrive(self, request: HttpRequest, queryset: QuerySet[Execution]) -> HttpResponseRedirect | None:
        ids: list[UUID] = list(queryset.values_list("id", flat=True)[: batches.LARGEST + 1])
        try:
            batch = batches.draft_batch(actor_of(request), act=Batch.Act.REDRIVE, ids=ids)
        except CommandError as error:
            self.message_user(request, error.message, messages.ERROR)
            return None
        return HttpResponseRedirect(reverse("dashboard:batch", args=[batch.pk]))
