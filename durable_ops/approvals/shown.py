"""What a person is shown of a question before they decide, its digest, and what has changed since."""

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from durable_ops.models import Approval, Shown

Content = list[list[Any]]
"""[[label, value], ...] with JSON values, in the order in which they are shown."""

MAX_VALUE_CHARACTERS = 500
_HIDDEN = (models.BinaryField, models.FileField, models.JSONField)


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; None on the side where the field does not exist."""

    label: str
    before: Any
    now: Any


def content_of(approval: Approval) -> Content:
    """Title, the author's details, and the linked row's fields as they are now. One query for a linked row, otherwise none."""
    return [["Title", approval.title], *approval.details, *_object_fields(approval)]


def digest(approval: Approval, content: Any) -> str:
    """A digest of what was seen or given; different JSON values have different digests.

    Keyed by the approval: whoever sees a digest in the audit log but not the approval cannot find the values by trying.
    """
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hmac.digest(bytes.fromhex(approval.digest_key), text.encode(), "sha256").hex()


def words(value: Any) -> str:
    """A value as people read it: a mapping line by line, deeper values as JSON."""
    if isinstance(value, Mapping) and value:
        return "\n".join(f"{key}: {_words(one)}" for key, one in value.items())
    return _words(value)


def _words(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(one, list | Mapping) for one in value):
        return ", ".join(_words(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def remember(approval: Approval, content: Content) -> Shown:
    """The row of this content, stored if it is new. Two people who look at the same time store one."""
    found = Shown.objects.filter(approval=approval, digest=digest(approval, content)).first()
    if found is not None:
        return found
    row = Shown(approval=approval, digest=digest(approval, content), content=content)
    Shown.objects.bulk_create([row], ignore_conflicts=True)
    return Shown.objects.get(approval=approval, digest=row.digest)


def changes(before: Content, now: Content) -> list[Change]:
    """The differing fields in the order shown now; those that are gone come last."""
    old, new = dict(_labelled(before)), dict(_labelled(now))
    labels = [*new, *(label for label in old if label not in new)]
    return [Change(label, old.get(label), new.get(label)) for label in labels if old.get(label) != new.get(label)]


def _labelled(content: Content) -> Iterable[tuple[str, Any]]:
    return ((str(label), value) for label, value in content)


def _object_fields(approval: Approval) -> Content:
    if not approval.object_type:
        return []
    try:
        model = apps.get_model(approval.object_type)
        row = model._base_manager.get(pk=approval.object_id)
    except (LookupError, ObjectDoesNotExist):
        return [[approval.object_type, "it is no longer there"]]
    return [[_label(field), _value(row, field)] for field in model._meta.concrete_fields if not isinstance(field, _HIDDEN)]


def _label(field: "models.Field[Any, Any]") -> str:
    return str(field.verbose_name).capitalize()


def _value(row: models.Model, field: "models.Field[Any, Any]") -> Any:
    value = field.value_from_object(row)
    return value if value is None or isinstance(value, bool | int) else str(value)[:MAX_VALUE_CHARACTERS]
