"""Requests drawn from the OpenAPI document, sent to every route as every role: what is answered must stand in the document."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from durable_ops.models import ApiKey, Right
from tests.durable_ops.journal import open_callback, register_function
from tests.durable_ops.people import make_key, make_user

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ROLES = ("administrator", "operator", "approver", "viewer", "narrow key", "no key")
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


@dataclass(frozen=True, slots=True)
class Known:
    """Things that are there, so that requests come further than the first 404."""

    executions: tuple[str, ...]
    callbacks: tuple[str, ...]

    def of(self, name: str) -> tuple[str, ...]:
        return {"execution_id": self.executions, "callback_id": self.callbacks, "name": ("echo",)}.get(name, ("1",))


def prepare() -> tuple[Known, dict[str, str | None]]:
    """An open execution, one that waits for callbacks, a stopped one; and a key for each role."""
    from execution_engine.services.executions import start_execution, stop_execution

    register_function("echo")
    opened, waiting, stopped = (start_execution("echo", '{"a": 1}', name=name).id for name in ("open", "waiting", "stopped"))
    callbacks = tuple(open_callback(waiting, f"c-{number}", heartbeat=3600) for number in range(3))
    stop_execution(stopped)
    people = {role: make_user(role) for role in ROLES[:4]}
    keys: dict[str, str | None] = {role: make_key(person) for role, person in people.items()}
    narrow = make_key(people["administrator"], "narrow")
    ApiKey.objects.filter(name="narrow").update(scopes=[Right.VIEW_EXECUTION, Right.START_EXECUTION], functions=["other-*"])
    return Known(tuple(map(str, (opened, waiting, stopped))), callbacks), {**keys, "narrow key": narrow, "no key": None}


def document(key: str) -> Any:
    """The document as the door itself answers it."""
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    return schemathesis.openapi.from_wsgi("/api/v1/schema", get_wsgi_application(), headers=headers)


def fuzz(known: Known, keys: dict[str, str | None], requests: int, *, roles: Sequence[str] = ROLES, derandomize: bool) -> Counter[int]:
    """Sends at least `requests`, evenly to every call as every role, half of them wrong on purpose; answers how often which status came.

    Raises what the check of an answer raises, with the request as a curl command.
    """
    found: Counter[int] = Counter()
    schema = document(str(keys["administrator"]))
    operations = [result.ok() for result in schema.get_all_operations()]
    each = max(1, math.ceil(requests / (len(operations) * len(roles) * len(MODES))))
    while True:  # some calls have less to vary than was asked for
        for operation, role, mode in product(operations, roles, MODES):
            _send(operation, mode, known, keys[role], each, derandomize, found)
        if found.total() >= requests:
            return found


def _send(operation: Any, mode: Any, known: Known, key: str | None, number: int, derandomize: bool, found: Counter[int]) -> None:
    options = settings(
        max_examples=number, deadline=None, derandomize=derandomize, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    strategy = operation.as_strategy(generation_mode=mode)

    @options
    @given(case=strategy, real=st.booleans(), place=st.integers(0, 2))
    def send(case: Any, real: bool, place: int) -> None:
        if real:
            for name in case.path_parameters or {}:
                values = known.of(name)
                case.path_parameters[name] = values[place % len(values)]
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = case.call(headers=headers)
        found[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    send()
