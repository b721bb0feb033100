"""Tables of the people's side. Each module names the owner of its rows and how long they are kept."""

from durable_ops.models.api_key import ApiKey
from durable_ops.models.audit import AppendOnlyError, AuditEntry
from durable_ops.models.costs import CostCursor, CostDay, CostEntry, Price
from durable_ops.models.rights import Right

__all__ = ["ApiKey", "AppendOnlyError", "AuditEntry", "CostCursor", "CostDay", "CostEntry", "Price", "Right"]
