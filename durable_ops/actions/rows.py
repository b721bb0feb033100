"""Finds the one row that an act is about."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from execution_engine.core.errors import CommandError

Row = TypeVar("Row", bound=Model)


def the_one(found: QuerySet[Row], missing: CommandError) -> Row:
    """The row of `found`, locked if `found` locks. Raises `missing` when there is none. One query."""
    row = found.first()
    if row is None:
        raise missing
    return row
