"""Where embedded mode keeps what: one directory for data, one short directory for sockets."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

# A socket path longer than 107 bytes is refused by the kernel, so sockets do not live below the data directory.
SOCKET_ROOT = Path("/tmp")  # noqa: S108  the directory made below it is private and its owner is checked

LARGEST_LOG_BYTES = 20 * 1024 * 1024  # a longer one of an earlier start is put aside, and the one before it dropped


@dataclass(frozen=True)
class Layout:
    """Paths and addresses of embedded mode. All follow from the data directory, so that a command in another terminal finds them."""

    data: Path

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def mail(self) -> Path:
        return self.data / "mail"

    @property
    def lock(self) -> Path:
        return self.data / "serve.lock"

    @property
    def secret_key(self) -> Path:
        return self.data / "secret_key"

    @property
    def sockets(self) -> Path:
        return SOCKET_ROOT / f"durable-{hashlib.sha256(str(self.data).encode()).hexdigest()[:12]}"

    @property
    def broker_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def database_url(self) -> str:
        return f"postgresql://postgres@/durable?host={quote(str(self.sockets))}"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.broker_socket}"

    def read_secret_key(self) -> str:
        """The stored key, or an empty text before the first start."""
        return self.secret_key.read_text().strip() if self.secret_key.is_file() else ""

    def prepare(self) -> None:
        """Make the directories and the secret key. Raises `ImproperlyConfigured` when the socket directory belongs to somebody else."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        for directory in (self.logs, self.mail):
            directory.mkdir(mode=0o700, exist_ok=True)
        make_private_directory(self.sockets)
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > LARGEST_LOG_BYTES:
                log.replace(log.with_suffix(".log.1"))
        if not self.read_secret_key():
            self.secret_key.touch(mode=0o600)
            self.secret_key.write_text(get_random_secret_key())


def make_private_directory(directory: Path) -> None:
    """Make a directory only we can enter, or take an existing one after checking that it is ours."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or (os.geteuid() and status.st_uid != os.geteuid()):
        raise ImproperlyConfigured(f"{directory} belongs to somebody else; remove it or choose another DATA_DIR.")
