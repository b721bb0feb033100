"""Mails: which were sent to whom and what became of them, and which of them a person wants.

Their text is nowhere stored, as its links decide. Where mails are written into files (development) the files are shown.
"""

from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from durable_ops.actions import mail_wishes
from durable_ops.approvals import inbox
from durable_ops.dashboard.access import actor_of, console_view, person_of
from durable_ops.models import MailPreference, Outbox, Right
from durable_ops.permissions import access_of
from durable_ops.selectors.pages import newest_page
from execution_engine.core.identifiers import read_number

PAGE = 50
FILES_READ = 500
MAX_FILE_BYTES = 1_000_000
STATES = {"": "All", "waiting": "Waiting", "sent": "Sent", "dropped": "Not needed"}


@console_view(Right.VIEW_AUDIT)
def outbox(request: HttpRequest) -> HttpResponse:
    """Newest first. Two queries."""
    state, before = request.GET.get("state", ""), request.GET.get("before", "")
    found = _in_state(state if state in STATES else "").filter(_visible(request))
    rows, following = newest_page(found.select_related("approval", "user"), PAGE, read_number(before))
    context = {"mails": rows, "state": state, "states": STATES, "next_before": following, "has_texts": _folder() is not None}
    return render(request, "approvals/mails.html", context)


@console_view(Right.VIEW_AUDIT)
def mail_text(request: HttpRequest, pk: int) -> HttpResponse:
    """The text of a mail in development; 404 where mails are really sent."""
    mail = Outbox.objects.select_related("approval", "user").filter(_visible(request), pk=pk).first()
    text = None if mail is None else _text(mail.message_id)
    if mail is None or text is None:
        raise Http404("There is no such mail in the folder of mails.")
    start = f"{settings.PUBLIC_URL}/a/"
    link = next((word for word in text.split() if word.startswith(start)), "")
    return render(request, "approvals/mail_text.html", {"mail": mail, "text": text, "link": link})


# Everybody who signed in chooses for themselves.
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def wishes(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        chosen = {name: request.POST.get(name) == "on" for name in ("requests", "reminders")}
        mail_wishes.set_wishes(actor_of(request), **chosen)
        messages.success(request, "Saved. It counts from the next mail on.")
        return HttpResponseRedirect(reverse("dashboard:mail_wishes"))
    found = MailPreference.objects.filter(user=person_of(request)).first() or MailPreference()
    return render(request, "settings/mails.html", {"wishes": found, "tab": "mails"})


def _in_state(state: str) -> QuerySet[Outbox]:
    conditions: dict[str, Any] = {
        "waiting": Q(sent_at=None, due_at__isnull=False),
        "sent": Q(sent_at__isnull=False),
        "dropped": Q(sent_at=None, due_at=None),
    }
    return Outbox.objects.filter(conditions.get(state, Q()))


def _visible(request: HttpRequest) -> Q:
    return Q() if access_of(request.user).has_all(Right.VIEW_AUDIT) else Q(approval__in=inbox.visible_to(request.user).values("pk"))


def _folder() -> Path | None:
    is_development = settings.EMAIL_BACKEND.endswith("filebased.EmailBackend") and settings.EMAIL_FILE_PATH
    return Path(settings.EMAIL_FILE_PATH) if is_development else None


def _text(message_id: str) -> str | None:
    """Of the newest files, the plain part of the mail with this id."""
    folder = _folder()
    if folder is None or not folder.is_dir():
        return None
    newest = sorted(folder.glob("*.log"), key=lambda path: path.name, reverse=True)[:FILES_READ]
    for path in newest:
        content = path.read_bytes()[:MAX_FILE_BYTES]
        if message_id.encode() in content:
            part = message_from_bytes(content, policy=policy.default).get_body(("plain",))
            return str(part.get_content()) if part else None
    return None
