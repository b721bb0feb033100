"""A worker that does a batch is killed in the middle, again and again: each execution is redriven exactly once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from durable_ops.actions import batches
from durable_ops.actions.actor import Actor
from durable_ops.models import AuditEntry, Batch
from execution_engine.models import Execution
from tests.durable_ops.people import make_user
from tests.factories import ago, make_event, make_execution, make_version

COUNT = 150
# Those that are to be killed stand still after some items: a worker that is never fast enough to be ready before its end comes.
HELD_AFTER = 40
WORK = """
import sys, django; django.setup()
from durable_ops.actions import batch_work
try_next, left = batch_work._try_next, int(sys.argv[1])
def held(batch):
    global left
    left -= 1
    return sys.stdin.read() if left < 0 else try_next(batch)
if left:
    batch_work._try_next = held
print("ready", flush=True)
while batch_work.work():
    pass
"""


def begin_worker(repository: Path, database_url: str, held_after: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DATABASE_URL": database_url, "DURABLE_LOCAL": "1", "DJANGO_SETTINGS_MODULE": "durable_ops.settings"}
    command = [sys.executable, "-c", WORK, str(held_after)]
    worker = subprocess.Popen(command, cwd=repository, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    return worker


@pytest.mark.django_db(transaction=True)
def test_every_item_is_done_exactly_once(repository: Path, database_url: str) -> None:
    version, ids = make_version(), []
    for number in range(COUNT):
        execution = make_execution(version, name=f"e-{number}", status="FAILED", ended_at=ago(seconds=5), event_seq=2)
        make_event(execution, 1, "ExecutionStarted", ago(minutes=1))
        make_event(execution, 2, "ExecutionFailed", ago(seconds=5))
        ids.append(execution.id)
    operator = Actor(user=make_user("operator"))
    batch = batches.draft_batch(operator, act="redrive", ids=ids)
    batches.confirm_batch(operator, batch.pk, reason="again")

    killed_in_the_middle = 0
    while Batch.objects.get(pk=batch.pk).status == Batch.Status.RUNNING:
        before = batch.items.filter(outcome="done").count()
        worker = begin_worker(repository, database_url, HELD_AFTER if killed_in_the_middle < 3 else 0)
        while worker.poll() is None and killed_in_the_middle < 3:
            if before + 20 <= batch.items.filter(outcome="done").count() < COUNT:
                worker.send_signal(signal.SIGKILL)
                killed_in_the_middle += 1
                break
            time.sleep(0.01)
        worker.communicate()

    assert killed_in_the_middle == 3
    assert batch.items.filter(outcome="done").count() == COUNT
    assert set(Execution.objects.values_list("status", "redrive_count")) == {("RUNNING", 1)}
    assert AuditEntry.objects.filter(action="execution.redrive").count() == COUNT
