"""Several operators at once who do something at random, as fast as people with scripts do."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from django.db import connection

from execution_engine.core.errors import CommandError


def operate_at_random(act: Callable[[random.Random], object], *, seed: int, operators: int, seconds: float = 4.0) -> None:
    """Calls `act` again and again on a thread per operator, each with its own chance. Refusals are part of the game; whatever else an
    act raises ends this with an AssertionError."""
    unexpected: list[BaseException] = []
    ends = time.monotonic() + seconds
    given = (ends, act, unexpected)
    threads = [threading.Thread(target=_operate, args=(random.Random(seed * 100 + number), *given)) for number in range(operators)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unexpected == []


def _operate(rng: random.Random, ends: float, act: Callable[[random.Random], object], unexpected: list[BaseException]) -> None:
    try:
        while time.monotonic() < ends:
            with suppress(CommandError):
                act(rng)
            time.sleep(rng.random() * 0.02)
    except BaseException as error:
        unexpected.append(error)
    finally:
        connection.close()
