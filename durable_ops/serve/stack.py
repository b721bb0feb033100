"""What `manage.py serve` runs: decides which servers are ours, starts everything in order and waits for the first answer."""

import fcntl
import http.client
import ipaddress
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections

from durable_ops.serve import programs
from durable_ops.serve.layout import Layout
from durable_ops.serve.people import DemoPerson, make_demo_people
from durable_ops.serve.postgres import EmbeddedPostgres
from durable_ops.serve.supervisor import Supervisor
from durable_ops.serve.valkey import EmbeddedValkey

# Each child holds its own connections (pool, writer, claims) and the embedded server has 200.
MOST_DEFAULT_CHILDREN = 6


@dataclass(frozen=True)
class Choices:
    """What was asked for on the command line and in the environment. Empty addresses mean: embedded."""

    host: str
    port: int
    children: int
    threads: int
    demo: bool
    demo_password: str
    database_url: str
    broker_url: str
    project: Path

    @property
    def address(self) -> str:
        host = "127.0.0.1" if self.host in {"", "0.0.0.0"} else "[::1]" if self.host == "::" else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class Stack:
    """The whole of one `serve`. `start()` once, then `supervisor.run()`, then `stop()`."""

    def __init__(self, choices: Choices, layout: Layout, say: Callable[[str], None]) -> None:
        self.choices = choices
        self.layout = layout
        self.supervisor = Supervisor(say)
        self._say = say
        self._lock: IO[str] | None = None

    def start(self) -> list[DemoPerson]:
        """Start databases, migrate, start web and worker. Returns the sign-ins to show once."""
        self._lock = take_lock(self.layout)
        check_port_is_free(self.choices.host, self.choices.port)
        self.layout.prepare()
        self.supervisor.watch_signals()
        self._start_postgres()
        broker_url = self.choices.broker_url or self._start_valkey()
        call_command("migrate", interactive=False, verbosity=0)
        # Whoever names a password wants the people, with or without the rest of the demo.
        wanted = self.choices.demo or self.choices.demo_password
        people = make_demo_people(self.choices.demo_password) if wanted else []
        connections["default"].close()
        connections["default"].close_pool()  # type: ignore[attr-defined]  # its threads must not exist while children are forked
        environment = self._environment(broker_url)
        logs, project = self.layout.logs, self.choices.project
        worker = programs.worker(children=self.choices.children, log=logs / "worker.log", environment=environment, directory=project)
        self.supervisor.add("worker", worker)
        web = programs.web(host=self.choices.host, port=self.choices.port, log=logs / "web.log", environment=environment, directory=project)
        self.supervisor.add("web server", web)
        return people

    def stop(self) -> None:
        self.supervisor.stop()
        if self._lock is not None:
            self._lock.close()

    def _start_postgres(self) -> None:
        if self.choices.database_url:
            return
        server = EmbeddedPostgres(self.layout.postgres, self.layout.sockets, self.layout.logs / "postgres.log")
        self.supervisor.add("PostgreSQL", server)
        server.create_database("durable")

    def _start_valkey(self) -> str:
        """The broker's address. Without a broker workers are called by NOTIFY and look by themselves, so its absence is no error."""
        if not EmbeddedValkey.installed():
            return "memory://"
        try:
            self.supervisor.add("Valkey", EmbeddedValkey(self.layout.broker_socket, self.layout.logs / "valkey.log"))
        except (OSError, ImproperlyConfigured) as error:
            self._say(f"going on without a broker: {error}")
            return "memory://"
        return self.layout.broker_url

    def _environment(self, broker_url: str) -> dict[str, str]:
        choices = self.choices
        local = choices.is_loopback or not choices.database_url
        hosts = {"localhost", "127.0.0.1", "[::1]", choices.host, *([] if choices.is_loopback else own_names())}
        added = {
            "DATA_DIR": str(self.layout.data),
            "DATABASE_URL": choices.database_url or self.layout.database_url,
            "CELERY_BROKER_URL": broker_url,
            "DURABLE_THREADS": str(choices.threads),
            "PORT": str(choices.port),
            "PYTHONUNBUFFERED": "1",
        }
        if not choices.demo:
            added["DURABLE_EXAMPLES"] = "0"
        if local:
            added |= {
                "DURABLE_LOCAL": "1",
                "ALLOWED_HOSTS": os.environ.get("ALLOWED_HOSTS") or ",".join(sorted(hosts)),
                "PUBLIC_URL": os.environ.get("PUBLIC_URL") or choices.address,
                "SECRET_KEY": os.environ.get("SECRET_KEY") or self.layout.read_secret_key(),
            }
        inherited = {name: value for name, value in os.environ.items() if name != "DURABLE_FOLLOW_PARENT"}
        return {**inherited, **added}


def take_lock(layout: Layout) -> IO[str]:
    """One `serve` per data directory; the kernel drops the lock with the process, however it ends."""
    layout.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = layout.lock.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise ImproperlyConfigured(f"Another `serve` uses {layout.data}; stop it or set DATA_DIR.") from error
    return handle


def check_port_is_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ImproperlyConfigured(f"Cannot listen on {host}:{port} ({error.strerror}); choose another with --port or PORT.") from error


def free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def own_names() -> set[str]:
    """Names and addresses under which this machine may be called."""
    name = socket.gethostname()
    try:
        return {name, socket.getfqdn(), *socket.gethostbyname_ex(name)[2]}
    except OSError:
        return {name}


def is_ready(choices: Choices) -> bool:
    """Whether `/healthz` answers 200."""
    host, _, port = choices.address.removeprefix("http://").rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def default_children() -> int:
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST_DEFAULT_CHILDREN)
