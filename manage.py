#!/usr/bin/env python
"""Django's entry point: `python manage.py serve` runs everything, `python manage.py help` lists the rest."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durable_ops.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db.utils import OperationalError
    except ImportError as error:
        raise SystemExit("Django is not in this Python: `make run` prepares .venv and starts; or use .venv/bin/python.") from error
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error
    except OperationalError as error:
        from django.conf import settings

        if settings.DATABASE_URL or settings.LAYOUT.sockets.joinpath(".s.PGSQL.5432").exists():
            raise
        raise SystemExit("No database: start `manage.py serve` first (with the same DATA_DIR), or set DATABASE_URL.") from error


if __name__ == "__main__":
    main()
