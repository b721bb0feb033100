"""What a webhook is told about an execution and an approval: who and when, and where to look; never what went in or came out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from execution_engine.conf import engine_settings
from execution_engine.core.identifiers import execution_arn


def execution(execution_id: UUID, *, function: str, version: str, name: str, status: str, started_at: datetime) -> dict[str, Any]:
    engine = engine_settings()
    return {
        "execution": str(execution_id),
        "arn": execution_arn(engine.REGION, engine.ACCOUNT, function, version, name, execution_id),
        "function": function,
        "version": version,
        "name": name,
        "status": status,
        "started_at": started_at.isoformat(),
        "url": f"{settings.PUBLIC_URL}{reverse('dashboard:execution', args=[execution_id])}",
    }


def trace(*, traceparent: str | None, correlation_id: str | None) -> dict[str, str]:
    """As headers of the delivery."""
    found = {"traceparent": traceparent, "X-Correlation-Id": correlation_id}
    return {name: value for name, value in found.items() if value}


def text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
