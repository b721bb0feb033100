"""What the commands of both apps stand on: a database that is away, or not migrated, is one line and exit code 1."""

import math
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError, connection

from execution_engine.core.identifiers import read_number

AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
NOT_MIGRATED = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)


class DatabaseCommand(BaseCommand):
    """A command that asks the database."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        refuse_missing_socket()
        try:
            return super().execute(*args, **options)
        except AWAY as error:
            words = str(error).strip() or type(error).__name__
            raise CommandError(f"The database does not answer: {words}. Is it running, and DATABASE_URL right?") from error
        except (ProgrammingError, *NOT_MIGRATED) as error:
            if not isinstance(error.__cause__ or error, NOT_MIGRATED):
                raise
            raise CommandError("The database lacks tables or columns of this code: run `manage.py migrate`.") from error


def refuse_missing_socket() -> None:
    """Raises CommandError where a server on a socket is not there: asking it would take ten seconds to say so."""
    settings = connection.settings_dict
    host = str(settings["HOST"] or settings["OPTIONS"].get("host", ""))
    if host.startswith("/") and not (Path(host) / f".s.PGSQL.{settings['PORT'] or 5432}").exists():
        raise CommandError("No database runs here: start `manage.py serve` first, with the same DATA_DIR, or set DATABASE_URL.")


def seconds_above_zero(text: str) -> float:
    """For argparse: a finite number above zero."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not (math.isfinite(seconds) and seconds > 0):
        raise ArgumentTypeError(f"takes seconds above zero, not {text!r}")
    return seconds


def number_from_one(text: str) -> int:
    """For argparse: a whole number from one that PostgreSQL can hold."""
    number = read_number(text)
    if not number:
        raise ArgumentTypeError(f"takes a whole number from 1, not {text[:50]!r}")
    return number
