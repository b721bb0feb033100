"""Saved views: searches that a person keeps under a name."""

from django.db import transaction

from durable_ops.actions.actor import Actor
from durable_ops.audit import log
from durable_ops.models import Right, SavedView
from durable_ops.selectors.searches import told_address
from execution_engine.core.errors import CommandError, InvalidInputError

MOST_VIEWS = 50
LONGEST_NAME = 80
LONGEST_QUERY = 2_000


class ViewNotFoundError(CommandError):
    code = "view_not_found"
    status = 404


def save_view(actor: Actor, *, name: str, query: str) -> SavedView:
    """Saves a query string under a name of the actor's own; replaces an older one with this name.

    Raises PermissionDenied, and InvalidInputError for the name, the query or too many views.
    """
    actor.require(Right.VIEW_EXECUTION)
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise InvalidInputError(f"A view needs a name of 1 to {LONGEST_NAME} characters.", field="name", limit=LONGEST_NAME)
    if len(query) > LONGEST_QUERY:
        raise InvalidInputError(f"A view keeps at most {LONGEST_QUERY} characters.", field="query", limit=LONGEST_QUERY)
    others = SavedView.objects.filter(user=actor.user).exclude(name=name)
    if others.count() >= MOST_VIEWS:
        raise InvalidInputError(f"You have {MOST_VIEWS} views already: remove one first.", field="name", limit=MOST_VIEWS)
    with transaction.atomic():
        view, _ = SavedView.objects.update_or_create(user=actor.user, name=name, defaults={"query": query})
        log.append(actor, _act("view.save", view))
    return view


def remove_view(actor: Actor, view_id: int) -> None:
    """Raises PermissionDenied, and ViewNotFoundError, also for somebody else's view."""
    actor.require(Right.VIEW_EXECUTION)
    with transaction.atomic():
        view = SavedView.objects.select_for_update().filter(pk=view_id, user=actor.user).first()
        if view is None:
            raise ViewNotFoundError("You have no such view.", view_id=view_id)
        log.append(actor, _act("view.remove", view))
        view.delete()


def _act(action: str, view: SavedView) -> log.Act:
    return log.Act(action, "view", str(view.pk), facts={"name": view.name, "query": told_address(view.query)})
