import json
from typing import Any

import pytest
from django.test import Client

from tests.durable_ops.journal import register_function
from tests.durable_ops.people import bearer, make_user

BASE = "/api/v1"


class Door:
    """The REST door as one person's program sees it; a server error is an answer here, not an exception."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.client = Client(raise_request_exception=False, headers=bearer(user))

    def get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        return self.client.get(BASE + path, query)

    def post(self, path: str, body: Any = None) -> Any:
        return self.raw(path, json.dumps({} if body is None else body).encode())

    def raw(self, path: str, body: bytes, content_type: str = "application/json", **more: Any) -> Any:
        return self.client.generic("POST", BASE + path, body, content_type=content_type, **more)

    def start(self, **body: Any) -> dict[str, Any]:
        answer = self.post("/executions", {"function": "echo", **body})
        assert answer.status_code == 201, answer.content
        return dict(answer.json())


@pytest.fixture
def admin(db: None) -> Door:
    register_function("echo")
    return Door(make_user("administrator", "anna"))


def refusal(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refusal, after checking its fixed part."""
    assert answer.status_code == status, answer.content[:500]
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = dict(answer.json())
    assert (body["status"], body["code"]) == (status, code), body
    assert body["type"] == f"urn:durable-ops:problem:{code}"
    assert body["title"]
    assert body["detail"]
    return body
