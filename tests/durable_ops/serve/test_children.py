"""Children end with their parent, however it ends."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from durable_ops.serve.children import process_state, spawn, stop
from durable_ops.serve.supervisor import Supervisor
from tests.waiting import wait_until

PARENT = """
import signal, sys, time
from pathlib import Path
from durable_ops.serve.children import spawn
child = spawn(["sleep", "600"], log=Path(sys.argv[1]), death_signal=signal.SIGKILL)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_child_ends_with_a_killed_parent(repository: Path, tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "log")], cwd=repository, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert process_state(child) not in {"", "Z"}
    parent.kill()
    parent.wait()
    wait_until(lambda: process_state(child) in {"", "Z"})


def test_spawning_from_another_thread_is_refused(tmp_path: Path) -> None:
    errors: list[RuntimeError] = []

    def elsewhere() -> None:
        try:
            spawn(["true"], log=tmp_path / "log", death_signal=signal.SIGKILL)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(errors) == 1


def test_stop_kills_what_does_not_listen(tmp_path: Path) -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    child = spawn([sys.executable, "-c", script], log=tmp_path / "log", death_signal=signal.SIGKILL)
    wait_until(lambda: "deaf" in (tmp_path / "log").read_text())
    stop(child, first=signal.SIGTERM, grace_seconds=0.2)
    assert child.returncode == -signal.SIGKILL


class Recorder:
    """A child that only notes what happens to it."""

    def __init__(self, name: str, notes: list[str], log: Path) -> None:
        self.name = name
        self.notes = notes
        self.log = log
        self.alive = False

    def start(self) -> None:
        self.notes.append(f"start {self.name}")
        self.alive = True

    def stop(self) -> None:
        self.notes.append(f"stop {self.name}")
        self.alive = False


def test_supervisor_stops_in_the_opposite_order_and_says_what_it_restarts(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("Traceback\nImportError: no such function\n")
    notes: list[str] = []
    said: list[str] = []
    supervisor = Supervisor(said.append)
    database, worker = Recorder("database", notes, log), Recorder("worker", notes, log)
    supervisor.add("database", database)
    supervisor.add("worker", worker)
    worker.alive = False
    looks = 0

    def end_after_restart() -> None:
        nonlocal looks
        looks += 1
        if worker.alive or looks > 50:
            supervisor._stopping = True  # what a signal does

    supervisor.run(end_after_restart)
    supervisor.stop()
    assert notes == ["start database", "start worker", "start worker", "stop worker", "stop database"]
    assert said == ["worker ended; starting it again in 0.4 s (ImportError: no such function)"]
