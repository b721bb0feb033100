"""A client from outside: `python -m tests.crash.feeder COUNT PAUSE_MS STEP_MS` starts executions and prints each name once acknowledged.

A start whose outcome is unknown is asked for again under its name, which is idempotent. Needs DATABASE_URL and its like.
"""

import sys
import time

import django


def main(count: int, pause_ms: int, step_ms: int) -> None:
    django.setup()
    from django.db import DatabaseError, connections
    from psycopg import Error
    from psycopg_pool import PoolTimeout

    from tests.crash.functions import STEPS, crash_ten

    for number in range(count):
        name = f"fed-{number}"
        while True:
            try:
                crash_ten.start({"name": name, "milliseconds": [step_ms] * STEPS}, name=name)
                break
            except (DatabaseError, Error, PoolTimeout) as error:
                print(f"again {name}: {type(error).__name__}", file=sys.stderr, flush=True)  # noqa: T201
                connections["default"].close()
                time.sleep(0.1)
        print(name, flush=True)  # noqa: T201
        time.sleep(pause_ms / 1000)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
