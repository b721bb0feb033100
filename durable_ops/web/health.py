"""`/healthz`: 200 when web, database and at least one worker are ready, else 503 that says what is missing."""

from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse

from execution_engine.models import Worker

# A worker writes its row every second or so; longer silence means that it is gone or cannot reach the database.
FRESH_SECONDS = 10


class HealthMiddleware:
    """Answers before host names, sessions and sign-in are looked at: a load balancer asks by address and has no account."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return health()
        return self.get_response(request)


def health() -> HttpResponse:
    try:
        found = read_health()
    finally:
        # The middleware runs outside Django's request signals when it answers, so the pooled connection goes back here.
        connection.close()
    response = JsonResponse(found, status=200 if found["status"] == "ok" else 503)
    response["Cache-Control"] = "no-store"
    return response


def read_health() -> dict[str, object]:
    """Keys: status (ok, unavailable), web, database, workers (how many take work). A database that is away is an answer."""
    found: dict[str, object] = {"web": True, "database": False, "workers": 0}
    try:
        found["workers"] = count_fresh_workers()
        found["database"] = True
    except DatabaseError:
        pass  # the answer says so
    return {"status": "ok" if found["database"] and found["workers"] else "unavailable", **found}


def count_fresh_workers() -> int:
    """Workers seen lately that take work, by the database's clock. Raises `DatabaseError` when the database or its tables are missing."""
    fresh = Worker.objects.filter(is_draining=False, seen_at__gt=Now() - timedelta(seconds=FRESH_SECONDS))
    return fresh.count()
