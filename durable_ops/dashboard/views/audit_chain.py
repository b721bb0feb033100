"""Verifies the chain over the audit log as far as there is time for on a page."""

from django.http import HttpRequest, HttpResponse

from durable_ops.audit.verify import verify
from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.htmx import render_page
from durable_ops.models import Right

LENGTHS = (1_000, 10_000, 100_000)


@console_view(Right.VIEW_AUDIT)
def audit_verify(request: HttpRequest) -> HttpResponse:
    """The newest 1,000, 10,000 or 100,000 links; the whole chain is for the command line."""
    asked = request.GET.get("newest", "")
    newest = int(asked) if asked in map(str, LENGTHS) else LENGTHS[1]
    context = {"found": verify(newest=newest), "newest": newest, "lengths": LENGTHS}
    return render_page(request, "audit/verify.html", context, fragment="outcome")
