"""Tables of the people's side. Each module names the owner of its rows and how long they are kept."""

from durable_ops.models.alert import Alert, AlertRule
from durable_ops.models.api_key import ApiKey
from durable_ops.models.approval import Approval, Assignee, Decision, Shown
from durable_ops.models.audit import AppendOnlyError, AuditEntry, AuditSeal
from durable_ops.models.batch import Batch, BatchItem
from durable_ops.models.costs import CostCursor, CostDay, CostEntry, Price
from durable_ops.models.function_pattern import FunctionPattern
from durable_ops.models.mail_preference import MailPreference
from durable_ops.models.outbox import ApprovalLink, Outbox
from durable_ops.models.protection import Protection
from durable_ops.models.redrive_request import RedriveRequest
from durable_ops.models.rights import Right
from durable_ops.models.saved_view import SavedView
from durable_ops.models.stored_answer import StoredAnswer
from durable_ops.models.webhook import Delivery, EventCursor, Webhook

__all__ = [
    "Alert",
    "AlertRule",
    "ApiKey",
    "AppendOnlyError",
    "Approval",
    "ApprovalLink",
    "Assignee",
    "AuditEntry",
    "AuditSeal",
    "Batch",
    "BatchItem",
    "CostCursor",
    "CostDay",
    "CostEntry",
    "Decision",
    "Delivery",
    "EventCursor",
    "FunctionPattern",
    "MailPreference",
    "Outbox",
    "Price",
    "Protection",
    "RedriveRequest",
    "Right",
    "SavedView",
    "Shown",
    "StoredAnswer",
    "Webhook",
]
