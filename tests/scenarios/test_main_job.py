"""The main job: an expense waits for two people, survives killed workers, is approved in a browser, and is paid once."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.scenarios.conftest import PASSWORD
from tests.scenarios.program import Program, ledger, wait_for
from tests.serving import Serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc"),
]

EXPENSE = {"expense_id": "E-SCENARIO", "amount": 6200.5, "category": "travel", "receipt_url": "https://receipts.example/1.pdf"}


def worker_children(serving: Serving) -> list[int]:
    """The children of the Celery worker, in which handlers execute."""
    parent = serving.pid_of("celery")
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def kill_every_child(serving: Serving) -> None:
    before = worker_children(serving)
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: set(worker_children(serving)) - set(before) or None, "new worker children")


def mails_about(serving: Serving, words: str) -> list[str]:
    """Whole mails; several that were sent in the same moment may stand in one file."""
    texts = [text for path in (serving.data / "mail").glob("*") for text in path.read_text().split("-" * 79)]
    return [text for text in texts if f"Subject: {words}" in text]


def link_for(serving: Serving, person: str, words: str) -> str:
    """The address in the mail that this person got."""
    mails = wait_for(lambda: [text for text in mails_about(serving, words) if f"To: {person}@" in text] or None, f"a mail to {person}")
    return re.search(r"^http\S+$", mails[0], re.MULTILINE)[0]  # type: ignore[index]


def sign_in(page: Page) -> None:
    page.get_by_label("User name").fill("approver")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def resumed(program: Program, figures: Callable[..., None]) -> Callable[[str], None]:
    """Notes how long an execution took from the click to its end, by the database's clock."""

    def note(execution_id: str) -> None:
        clicked, ended = program.moment_of(execution_id, "CallbackSucceeded"), program.moment_of(execution_id, "ExecutionSucceeded")
        figures("click to end", seconds=(ended - clicked).total_seconds())

    return note


def wait_until_suspended(program: Program, execution_id: str) -> None:
    """Until it only waits for people: its mails are sent and recorded."""
    states = ("waiting_for_callback", "waiting_for_approval")
    wait_for(lambda: program.execution(execution_id)["state"] in states or None, f"{execution_id} to wait for a person")


def test_expense_survives_killed_workers_and_is_paid_exactly_once(serving: Serving, program: Program) -> None:
    execution_id = program.start("expense-approval", EXPENSE)
    manager = program.pending_callback(execution_id, "manager")
    wait_until_suspended(program, execution_id)
    kill_every_child(serving)
    program.succeed(manager, {"action": "approved"})
    finance = program.pending_callback(execution_id, "finance")
    wait_until_suspended(program, execution_id)
    program.succeed(finance, {"action": "approved"})
    kill_every_child(serving)  # while it is being paid, or just before or after

    execution = program.end_of(execution_id)
    assert (execution["status"], execution["result"]["status"]) == ("SUCCEEDED", "completed")
    assert ledger(serving)["E-SCENARIO"] == [6200.5]
    # Nobody is mailed about what is decided already, and nobody twice about the same question.
    sent = [re.search(r"^Message-ID: (\S+)", text, re.MULTILINE)[1] for text in mails_about(serving, "Expense E-SCENARIO:")]  # type: ignore[index]
    assert len(set(sent)) <= 4


def test_expense_is_approved_behind_the_mailed_link(page: Page, serving: Serving, program: Program, resumed: Callable[[str], None]) -> None:
    execution_id = program.start("expense-approval", EXPENSE | {"expense_id": "E-LINK", "amount": 120})
    program.pending_callback(execution_id, "manager")
    wait_until_suspended(program, execution_id)
    page.goto(link_for(serving, "approver", "Expense E-LINK:"))
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_role("heading", name="Approved").wait_for()

    assert program.end_of(execution_id)["result"]["status"] == "completed"
    assert ledger(serving)["E-LINK"] == [120]
    resumed(execution_id)


def test_expense_is_rejected_in_the_inbox(page: Page, serving: Serving, program: Program, resumed: Callable[[str], None]) -> None:
    execution_id = program.start("expense-approval", EXPENSE | {"expense_id": "E-INBOX", "amount": 120})
    program.pending_callback(execution_id, "manager")
    wait_until_suspended(program, execution_id)
    page.goto(f"{serving.address}/approvals/")
    sign_in(page)
    page.get_by_role("listitem").filter(has_text="E-INBOX").get_by_role("button", name="Reject").click()
    page.get_by_text("Rejected: Expense E-INBOX").wait_for()

    assert program.end_of(execution_id)["result"]["status"] == "rejected_by_manager"
    assert ledger(serving)["E-INBOX"] == []
    resumed(execution_id)


def test_expense_is_rejected_in_the_list_of_callbacks(
    page: Page, serving: Serving, program: Program, resumed: Callable[[str], None]
) -> None:
    execution_id = program.start("expense-callbacks", EXPENSE | {"expense_id": "E-LIST", "amount": 120})
    program.pending_callback(execution_id, "manager")
    wait_until_suspended(program, execution_id)
    page.goto(f"{serving.address}/callbacks/")
    sign_in(page)
    page.get_by_role("listitem").filter(has_text="E-LIST").get_by_role("button", name="Reject").click()

    assert program.end_of(execution_id)["result"]["status"] == "rejected_by_manager"
    assert ledger(serving)["E-LIST"] == []
    resumed(execution_id)
