"""How people protect data: fields that are masked, and functions whose edited redrives need a second person."""

from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from durable_ops.actions.actor import Actor
from durable_ops.actions.patterns import check_patterns
from durable_ops.audit import log
from durable_ops.models import Protection, Right
from durable_ops.selectors.masking import MAX_PATHS, PATH
from execution_engine.core.errors import InvalidInputError


def protect(actor: Actor, *, pattern: str, masked: Collection[str], needs_second_person: bool, reason: str) -> Protection | None:
    """Sets what is protected for the functions that `pattern` matches. A rule that protects nothing is removed; then returns None.

    `masked` are paths such as `customer.iban` (see `selectors/masking.py`). Writes one audit row with the values before and after, none
    when nothing changes. Raises PermissionDenied, and InvalidInputError for the pattern and for masked.
    """
    actor.require(Right.MANAGE_PROTECTION)
    _check(pattern, masked)
    paths = sorted(set(masked))
    with transaction.atomic():
        found = Protection.objects.select_for_update().filter(pattern=pattern).first()
        before = _facts(found)
        if not paths and not needs_second_person:
            Protection.objects.filter(pattern=pattern).delete()
            kept = None
        else:
            values = {"masked": paths, "needs_second_person": needs_second_person}
            kept, _ = Protection.objects.update_or_create(pattern=pattern, defaults=values)
        if before != _facts(kept):
            facts = {"before": before, "after": _facts(kept)}
            log.append(actor, log.Act("protection.change", "protection", pattern, reason=reason, facts=facts))
    return kept


def needs_second_person(function: str) -> bool:
    """Whether a rule in the database or the setting DURABLE_SECOND_PERSON asks for one. One query."""
    named = [*Protection.objects.filter(needs_second_person=True).values_list("pattern", flat=True)]
    return any(fnmatchcase(function, pattern) for pattern in (*named, *getattr(settings, "DURABLE_SECOND_PERSON", ())))


def rules() -> QuerySet[Protection]:
    """The rules that protect something, by pattern."""
    return Protection.objects.filter(~Q(masked=[]) | Q(needs_second_person=True)).order_by("pattern")


def _check(pattern: str, masked: Collection[str]) -> None:
    check_patterns([pattern], "pattern")
    wrong = sorted(one for one in masked if not PATH.fullmatch(one))
    if wrong:
        words = f"{wrong[0][:100]!r} is no path: 1 to 10 names of up to 100 characters with dots between, as customer.iban."
        raise InvalidInputError(words, field="masked", value=wrong[0][:100])
    if len(masked) > MAX_PATHS:
        raise InvalidInputError(f"A rule masks at most {MAX_PATHS} fields.", field="masked", limit=MAX_PATHS)


def _facts(found: Protection | None) -> dict[str, Any] | None:
    return None if found is None else {"masked": found.masked, "needs_second_person": found.needs_second_person}
