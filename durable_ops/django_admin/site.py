"""Django's admin behind the console's sign-in and rights."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from durable_ops.actions.actor import Actor, Channel
from durable_ops.doors.callers import address_of
from durable_ops.models.rights import Right
from durable_ops.permissions import has_right


def actor_of(request: HttpRequest) -> Actor:
    """Whoever is signed in, as the one who acts through the admin."""
    return Actor(user=request.user, channel=Channel.ADMIN, address=address_of(request.META))


class ConsoleAdminSite(AdminSite):
    """For staff who may see executions. Whoever is not signed in is sent to the console's sign-in page; everybody else gets 403."""

    site_header = "Durable Ops"
    site_title = "Durable Ops"
    index_title = "Executions are looked at and repaired in the console"

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and has_right(request.user, Right.VIEW_EXECUTION)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:  # type: ignore[override]  # guarded, not the view itself
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not self.has_permission(request):
                raise PermissionDenied("The admin is for staff who may see executions.")
            return inner(request, *args, **kwargs)

        return guarded

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Redirects to the console's sign-in page, as the admin has none of its own."""
        if not request.user.is_authenticated:
            return redirect_to_login(f"{request.path.rpartition('login/')[0]}")
        if not self.has_permission(request):
            raise PermissionDenied("The admin is for staff who may see executions.")
        return HttpResponseRedirect(request.path.rpartition("login/")[0])
