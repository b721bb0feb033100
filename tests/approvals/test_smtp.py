"""A real mail server that refuses, hangs, takes a mail without saying so, and dies: every approval gets its mail in the end."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from durable_ops.approvals import mails, outbox
from durable_ops.models import Outbox

pytestmark = pytest.mark.django_db(transaction=True)


class Moody:
    """An SMTP handler with a mood; keeps what it took."""

    def __init__(self) -> None:
        self.mood = "good"
        self.taken: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.mood == "refuses":
            return "451 try again later"
        if self.mood == "hangs":
            await asyncio.sleep(1.5)
            return "451 too late"
        message = message_from_bytes(envelope.content)
        if self.mood != "drops":
            self.taken.append((message["Message-ID"], tuple(envelope.rcpt_tos), message["Subject"]))
        if self.mood in ("swallows", "drops"):
            server.transport.abort()  # accepted or not: nobody is told
        return "250 OK"


@pytest.fixture
def server(settings: Any) -> Iterator[tuple[Controller, Moody]]:
    handler = Moody()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 0.5
    settings.EMAIL_PORT = port
    yield controller, handler
    controller.stop()


def try_all() -> None:
    Outbox.objects.filter(sent_at=None, due_at__isnull=False).update(due_at=Now())
    outbox.send_due()


def test_every_approval_gets_its_mail_and_each_mail_keeps_its_id(
    ask: Callable[..., Any], crowd: Callable[[int], list[User]], server: tuple[Controller, Moody], settings: Any, is_long: bool,
    figures: Callable[..., None],
) -> None:  # fmt: skip
    people = crowd(4)
    rounds = 10 if is_long else 2
    for number in range(rounds):
        for mood in ("refuses", "hangs", "swallows", "drops"):
            server[1].mood = mood
            ask(title=f"{mood} {number}")
            try_all()
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1  # nobody listens
    ask(title="dead")
    try_all()
    settings.EMAIL_PORT, server[1].mood = port, "good"
    while Outbox.objects.filter(sent_at=None, due_at__isnull=False).exists():
        try_all()
    promised = set(Outbox.objects.values_list("message_id", flat=True))
    taken = server[1].taken
    assert len(promised) == len(people) * (4 * rounds + 1)
    assert {message_id for message_id, _, _ in taken} == promised  # nothing lost, nothing under a second id
    of_id: dict[str, set[Any]] = {}
    for message_id, recipients, subject in taken:
        of_id.setdefault(message_id, set()).add((recipients, subject))
    assert {len(kinds) for kinds in of_id.values()} == {1}
    assert all(len(recipients) == 1 for _, recipients, _ in taken)
    figures("mail server in five moods", mails=len(promised), deliveries=len(taken), lost=0, ids_changed=0)


def test_a_rolled_back_step_mails_nobody(
    ask: Callable[..., Any], crowd: Callable[[int], list[User]], server: tuple[Controller, Moody]
) -> None:
    crowd(3)
    _, approval = ask()
    try_all()
    for _ in range(5):
        with transaction.atomic():
            mails.queue_reminder(approval)
            transaction.set_rollback(True)
        try_all()
    assert len(server[1].taken) == 3


def test_a_mail_that_is_forgotten_once_it_was_tried_is_caught(
    ask: Callable[..., Any], crowd: Callable[[int], list[User]], server: tuple[Controller, Moody], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: sent at most once, as without an outbox."""
    crowd(1)
    honest = outbox._lease

    def forgets() -> Any:
        mail = honest()
        if mail is not None:
            Outbox.objects.filter(pk=mail.pk).update(due_at=None)
        return mail

    monkeypatch.setattr(outbox, "_lease", forgets)
    server[1].mood = "refuses"
    ask()
    try_all()
    server[1].mood = "good"
    try_all()
    assert server[1].taken == []
