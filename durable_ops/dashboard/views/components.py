"""Every component in every state on one page, to look at while one changes a style, and for the browser tests to hold."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.charts.activity import activity_figure, latency_figure
from durable_ops.dashboard.drawer import Attempt
from durable_ops.dashboard.forms.fields import ReasonForm
from durable_ops.dashboard.looks import STATE_LOOKS
from durable_ops.dashboard.payloads import make_payload, read_error
from durable_ops.models import Right
from execution_engine.selectors.activity import Bucket
from execution_engine.selectors.attempts import AttemptRow
from execution_engine.selectors.explain import DerivedState, StateCode

OPERATIONS = (
    ("STEP", "Step", "STARTED"), ("STEP", "Step", "READY"), ("STEP", "Step", "PENDING"), ("STEP", "WaitForCondition", "PENDING"),
    ("STEP", "Step", "SUCCEEDED"), ("STEP", "Step", "FAILED"), ("WAIT", "Wait", "STARTED"), ("CALLBACK", "Callback", "STARTED"),
    ("CALLBACK", "Signal", "STARTED"), ("CALLBACK", "Callback", "TIMED_OUT"), ("CHAINED_INVOKE", "ChainedInvoke", "STARTED"),
    ("CONTEXT", "Parallel", "STARTED"), ("STEP", "Step", "CANCELLED"), ("CHAINED_INVOKE", "ChainedInvoke", "STOPPED"),
)  # fmt: skip
MARKUP = '<script>alert(1)</script> "quotes" 😀 \u05e9\u05dc\u05d5\u05dd'
ERROR = '{"ErrorType": "shop.CardDeclined", "ErrorMessage": "Card was declined", "StackTrace": ["File \\"shop.py\\", line 12, in pay"]}'
DURATIONS = (0.0004, 0.085, 1.24, 41.3, 192, 7500, 363_600)
AMOUNTS = (0, 0.000016667, 0.0042, 0.5, 1204.5)
RATES = (None, 0.0, 0.049, 0.9994, 1.0)


@console_view(Right.VIEW_EXECUTION)
def components(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = ReasonForm({"reason": ""}, needs_reason=True)
    form.add_error(None, "The execution has ended meanwhile.")
    words = {code: code.value.replace("_", " ").capitalize() for code in StateCode}
    context: dict[str, Any] = {
        "states": [DerivedState(code, words[code], "", until=now + timedelta(seconds=40)) for code in STATE_LOOKS],
        "operations": [_operation(*one) for one in OPERATIONS],
        "open_execution": SimpleNamespace(is_terminal=False),
        "ended_execution": SimpleNamespace(is_terminal=True),
        "tones": ("running", "waiting", "retrying", "succeeded", "failed", "stopped", "queued", "stranded"),
        "durations": DURATIONS,
        "amounts": AMOUNTS,
        "rates": RATES,
        "moments": [now - timedelta(seconds=3), now - timedelta(hours=5), now + timedelta(minutes=3), now + timedelta(days=9)],
        "payloads": _payloads(),
        "form": form,
        "activity": activity_figure(_buckets(now)),
        "latency": latency_figure(_buckets(now)),
        "series": range(1, 9),
        "attempts": _attempts(now),
        "retried": SimpleNamespace(attempts=4, is_open=True),
    }
    return render(request, "components/page.html", context)


def _operation(kind: str, sub_type: str, status: str) -> SimpleNamespace:
    return SimpleNamespace(type=kind, sub_type=sub_type, status=status, is_open=status in ("STARTED", "READY", "PENDING"))


def _attempts(now: datetime) -> list[Attempt]:
    """One of each kind, the newest first."""
    begun = [now - timedelta(seconds=seconds) for seconds in (2, 20, 30, 40)]
    rows = [
        AttemptRow(begun[0]),
        AttemptRow(begun[1], begun[1] + timedelta(milliseconds=80), 3, due_at=begun[0]),
        AttemptRow(begun[2], begun[2] + timedelta(seconds=2), 2, failed=True, due_at=begun[1], error=ERROR),
        AttemptRow(begun[3], begun[3] + timedelta(seconds=1), 1),
    ]
    return [Attempt(row, read_error(row.error)) for row in rows]


def _payloads() -> list[Any]:
    texts = {
        "input": ("Input", '{"id": "E-1", "amount": 12.5, "paid": true, "note": null, "markup": "<b>bold</b>"}'),
        "text": ("Text that is no JSON", MARKUP),
        "error": ("Error", ERROR),
    }
    return [make_payload(key, label, text, "#payloads") for key, (label, text) in texts.items()]


def _buckets(now: Any) -> list[Bucket]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    quick, slow = timedelta(milliseconds=120), timedelta(seconds=4)
    return [
        Bucket(
            at=hour - timedelta(hours=11 - number),
            succeeded=20 + number * 3 % 17,
            failed=number % 4,
            stopped=number % 5 == 0,
            open=2 if number > 9 else 0,
            p50=quick * (1 + number % 3),
            p95=slow * (1 + number % 2),
        )
        for number in range(12)
    ]
