"""Writes to whom a question is put: for the first question, for escalation, and when it is put to others."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.contrib.auth.models import Group

from durable_ops.models import Approval, Assignee


def group_keys(names: Collection[str]) -> dict[str, str]:
    """Primary keys of the groups with these names, as text; those that do not exist are left out. One query, none for no names."""
    found = Group.objects.filter(name__in=names).values_list("name", "pk") if names else ()
    return {name: str(key) for name, key in found}


def groups(keys: Mapping[str, str], *, is_escalation: bool = False) -> list[Assignee]:
    """Unsaved assignees for the groups with these names, with their primary keys."""
    return [Assignee(kind=Assignee.Kind.GROUP, key=key, name=name, is_escalation=is_escalation) for name, key in keys.items()]


def put_to(approval: Approval, asked: Iterable[Assignee], *, instead: bool = False) -> None:
    """Asks these as well, or `instead` of everybody who was asked so far, who then stay on record. Needs the approval's lock.

    Whoever was asked before keeps their row, under the name that they have now.
    """
    there = {(one.kind, one.key): one for one in Assignee.objects.filter(approval=approval)}
    if instead and there:
        Assignee.objects.filter(approval=approval).update(is_active=False)
    new, again = _sorted(approval, asked, there)
    Assignee.objects.bulk_create(new)
    Assignee.objects.bulk_update(again, ["name", "is_active", "is_escalation"])


def _sorted(
    approval: Approval, asked: Iterable[Assignee], there: Mapping[tuple[str, str], Assignee]
) -> tuple[Sequence[Assignee], Sequence[Assignee]]:
    new, again = [], []
    for one in asked:
        found = there.get((one.kind, one.key))
        if found is None:
            one.approval = approval
            new.append(one)
        else:
            found.name, found.is_active, found.is_escalation = one.name, True, one.is_escalation
            again.append(found)
    return new, again
