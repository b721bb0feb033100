"""Settings of the tests: the product's own, on a throwaway PostgreSQL (or on DATABASE_URL when it is set)."""

import os
import tempfile
from pathlib import Path

# Before the product's settings are read: whatever the shell says, tests are local and keep their files to themselves.
# pytest-xdist starts its workers with the environment of its first process, address of the throwaway PostgreSQL included. Whoever makes
# that address signs it, so that each worker makes its own; what a test starts has its worker's name and shares its server.
PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "first")
EXTERNAL_DATABASE = bool(os.environ.get("DATABASE_URL")) and os.environ.get("DURABLE_TEST_DATABASE_OF", PROCESS) == PROCESS
SCRATCH = Path(tempfile.mkdtemp(prefix="durable-tests-", dir="/tmp"))
os.environ["DURABLE_LOCAL"] = "1"
os.environ["DATA_DIR"] = str(SCRATCH / "data")
os.environ.setdefault("SECRET_KEY", "tests-only-tests-only-tests-only-tests-only-tests-only")
os.environ.setdefault("CELERY_BROKER_URL", "memory://")
if not EXTERNAL_DATABASE:
    # The server behind this address is started by tests/conftest.py before the first test that needs it.
    os.environ["DURABLE_TEST_DATABASE_OF"] = PROCESS
    os.environ["DATABASE_URL"] = f"postgresql://postgres@/postgres?host={SCRATCH / 'sockets'}"

from durable_ops.settings import *  # noqa: E402, F403

ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick sign-ins
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
