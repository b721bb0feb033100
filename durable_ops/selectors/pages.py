"""Lists in pages: one row more is read than is shown, so that nobody counts what follows."""

from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def first_page(found: QuerySet[Row], limit: int) -> tuple[list[Row], int | None]:
    """The first `limit` rows in the order of `found`, and the id of the last of them where more follow. One query."""
    rows = list(found[: limit + 1])
    return rows[:limit], rows[limit - 1].pk if len(rows) > limit else None


def newest_page(found: QuerySet[Row], limit: int, before: int | None) -> tuple[list[Row], int | None]:
    """As `first_page`, the highest id first; `before` is the id that the page before ended with."""
    return first_page((found.filter(pk__lt=before) if before else found).order_by("-pk"), limit)
