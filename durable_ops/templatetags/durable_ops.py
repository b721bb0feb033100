"""For templates of the surrounding project: what runs and waits for one of its rows.

`{% load durable_ops %}{% executions_of invoice as found %}` and `{% approvals_of invoice as found %}`, each one indexed query.
"""

from typing import Any

from django import template

from durable_ops.approvals import inbox
from durable_ops.models import Approval
from execution_engine.models import Execution

register = template.Library()
SHOWN = 50


@register.simple_tag
def approvals_of(instance: Any) -> list[Approval]:
    """Approvals asked with `for_object=instance`, newest first, 50 at most."""
    return list(inbox.of_object(instance)[:SHOWN])


@register.simple_tag
def executions_of(instance: Any) -> list[Execution]:
    """Executions that asked for an approval of this row, newest first, 50 at most; without payloads."""
    return inbox.executions_of(instance, limit=SHOWN)
