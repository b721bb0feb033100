"""axe finds nothing on any page, light and dark, wide and narrow; nothing scrolls sideways."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction
from playwright.sync_api import Page

from durable_ops.actions.actor import Actor, Channel
from durable_ops.audit import log
from execution_engine.models import Execution
from tests.factories import ago, make_callback, make_event, make_execution, make_operation, make_version, make_worker

pytestmark = pytest.mark.django_db(transaction=True)
FITS = "new Promise(requestAnimationFrame).then(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)"
JUDGED = (("light", 390), ("dark", 390), ("dark", 1280), ("light", 1280), ("light", 1920))
FITTED = (("dark", 1920), ("light", 2560))
PARTS = 3
# A chart that stays too wide is for axe to tell.
DRAWN = """new Promise((done) => {
  const until = Date.now() + 1000, fits = (one) => one.scrollWidth <= one.clientWidth;
  const look = () => Date.now() > until || [...document.querySelectorAll(".plot")].every(fits) ? done() : requestAnimationFrame(look);
  requestAnimationFrame(look);
})"""
LONG = "a-name-without-any-place-to-break-it-" * 5


@pytest.fixture
def addresses(transactional_db: None) -> list[str]:
    """An execution of every state, long names, markup, and an address per page."""
    version = make_version()
    make_worker(version)
    attributes = {"customer": 42, "region": "eu"}
    error = '{"ErrorType": "E", "ErrorMessage": "<b>m</b>", "StackTrace": ["line 1"]}'
    failed = make_execution(version, name="failed", status="FAILED", ended_at=ago(), error=error)
    make_execution(version, name=LONG, status_text=LONG, due_at=ago(), attributes={LONG: LONG})
    make_execution(version, status="SUCCEEDED", ended_at=ago())
    make_execution(version, status="STOPPED", ended_at=ago())
    make_execution(version, status="PAUSED")
    make_execution(make_version(version="9"), due_at=ago())
    make_execution(version, claim_id=uuid4(), due_at=ago(seconds=-20))
    retrying = make_execution(version, due_at=ago(seconds=-50), attributes=attributes)
    step = make_operation(retrying, status="PENDING", attempt=1, due_at=ago(seconds=-50), payload='{"a": [1, true, null, "x"]}')
    make_event(retrying, 1, "ExecutionStarted", ago(seconds=9))
    make_event(retrying, 2, "StepFailed", ago(seconds=8), operation_id=step.id)
    waiting = make_execution(version, attributes=attributes, input='{"amount": 12.5, "ok": true}')
    callback = make_callback(waiting, options={"timeout": 600, "heartbeat": 60}, due_at=ago(seconds=-60))
    act = log.Act("execution.stop", "execution", str(failed.id), execution_id=failed.id, reason="r", facts={})
    with transaction.atomic():
        log.append(Actor(None, channel=Channel.COMMAND), act)
    data = [f"/executions/{execution.id}/?tab=data" for execution in (failed, waiting)]
    repairs = [f"/executions/{failed.id}/redrive/", f"/executions/{failed.id}/delete/", f"/executions/{waiting.id}/pause/"]
    return [*pages(retrying, step.id), *data, *repairs, *others(waiting, callback.callback_id)]


def pages(execution: Execution, operation_id: str) -> list[str]:
    here = f"/executions/{execution.id}/"
    parts = ["", "?tab=history", "?tab=code", "?tab=audit", "fork/", f"?operation={operation_id}", "stop/", "signal/"]
    return ["/", "/overview/", "/executions/?state=failed&q=none", *(here + part for part in parts)]


def others(execution: Execution, callback_id: str) -> list[str]:
    decisions = [f"/callbacks/{callback_id}/approve", f"/callbacks/{callback_id}/reject", "/callbacks/unknown/approve"]
    starts = ["/executions/start/", f"/executions/start/?from={execution.id}", "/executions/start/?function=expense-approval"]
    functions = ["/functions/", "/functions/expense-approval/", "/functions/expense-approval/?tab=code", "/deploy-check/"]
    functions += ["/functions/expense-approval/limits/", "/schedules/", "/schedules/new/"]
    settings = ["/settings/", "/settings/people/", "/settings/retention/?function=expense-approval&days=30"]
    settings += ["/settings/webhooks/", "/settings/alerts/", "/audit/verify/"]
    costs = ["/costs/", "/costs/calculator/?example=expenses", "/costs/prices/", f"/executions/{execution.id}/?tab=cost"]
    return ["/callbacks/", *decisions, *starts, *functions, *settings, *costs, "/batches/", "/audit/", "/components/", "/nothing/"]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_page_has_a_fault_in_any_look(sign_in: Callable[..., Page], live_server: Any, addresses: list[str], part: int) -> None:
    """Each page is asked for once, then shown in every width and theme: axe finds nothing, nothing scrolls sideways."""
    page = sign_in()
    found = []
    for address in addresses[part::PARTS]:
        look(page, live_server.url + address)
        for theme, width in (*JUDGED, *FITTED):
            show(page, theme, width)
            if not page.evaluate(FITS):
                found.append((address, theme, width, "scrolls sideways"))
            faults = Axe().run(page).response["violations"] if (theme, width) in JUDGED else []
            found += [(address, theme, width, one["id"], one["nodes"][0]["html"][:200]) for one in faults]
    assert found == []


def show(page: Page, theme: Any, width: int) -> None:
    """Shows the page so, without colours that are half changed or charts of the width before."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 1000})
    page.evaluate(DRAWN)


def look(page: Page, address: str) -> None:
    page.goto(address, wait_until="load")
    page.wait_for_function("[...document.querySelectorAll('.plot[data-figure]')].every((one) => one.querySelector('svg, canvas'))")
    assert page.evaluate(FITS), f"{address} scrolls sideways"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sign_in_page_has_no_fault(page: Page, live_server: Any, complaints: list[str], theme: Any) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(f"{live_server.url}/login/")
    assert Axe().run(page).response["violations"] == []
