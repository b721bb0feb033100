#!/usr/bin/env python
"""Django's entry point: `python manage.py serve` runs everything, `python manage.py help` lists the rest."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durable_ops.settings")
    try:
        from django.core.management import execute_from_command_line  # Django may be missing: say so kindly
    except ImportError as error:
        raise SystemExit("Django is not installed in this Python. `make run` prepares .venv and starts; or use .venv/bin/python.") from error
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
