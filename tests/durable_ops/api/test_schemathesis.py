"""The whole OpenAPI document against the whole door, as every role: no server error, no answer that is not in the document.

A few hundred requests, the same on every run; `make fuzz` sends 20,000 new ones (FUZZ_REQUESTS another number).
"""

import os
from collections.abc import Callable

import pytest

from tests.durable_ops.api.fuzz import fuzz, prepare


@pytest.mark.django_db(transaction=True)
def test_every_answer_is_in_the_document(is_long: bool, figures: Callable[..., None]) -> None:
    known, keys = prepare()
    asked = int(os.environ.get("FUZZ_REQUESTS", "20000")) if is_long else 1
    found = fuzz(known, keys, asked, derandomize=not is_long)
    figures("schemathesis", requests=found.total(), statuses=dict(sorted(found.items())))
    assert found.total() >= max(400, asked)
    assert found[200] > 0
    assert found[201] + found[409] > 0
    assert not any(status >= 500 for status in found)
