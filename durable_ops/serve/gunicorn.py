"""Settings of the web server that `manage.py serve` starts. The address comes on the command line."""

import os
import signal
from pathlib import Path
from typing import Any

from durable_ops import env
from durable_ops.serve.children import die_with_parent

wsgi_app = "durable_ops.wsgi:application"
worker_class = "durable_ops.web.poll_worker.PollWorker"  # gthread, and many polls at once
workers = min(2, os.cpu_count() or 1)
threads = 8 + env.integer("LAMBDA_WAITERS", 16, minimum=0, maximum=1000)  # whoever waits for a result keeps a thread
timeout = 60
graceful_timeout = 10
keepalive = 5
control_socket_disable = True
# Heartbeat files on a slow disk make the master kill healthy workers.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108

# Each process keeps its figures in a file here; /metrics adds them up. Read by prometheus-client when it is imported.
METRICS = env.path("PROMETHEUS_MULTIPROC_DIR", env.path("DATA_DIR", Path.cwd() / ".data") / "metrics")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS)


def on_starting(_server: Any) -> None:
    """Figures begin anew with the master; those of its workers that ended are kept, so that counters never fall."""
    METRICS.mkdir(parents=True, exist_ok=True)
    for old in METRICS.glob("*.db"):  # no more than these: whoever names another directory may keep other things there
        old.unlink(missing_ok=True)


def post_fork(server: Any, _worker: Any) -> None:
    """A master that is killed takes its workers along, so that the port is free again."""
    die_with_parent(signal.SIGTERM, server.pid)
