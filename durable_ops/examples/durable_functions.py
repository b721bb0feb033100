"""The engine imports `durable_functions` of every installed app: importing an example registers its function."""

from durable_ops.examples import ai_analyst, cart_reminder, expense_approval, expense_callbacks, order_fulfilment, report_export

__all__ = ["ai_analyst", "cart_reminder", "expense_approval", "expense_callbacks", "order_fulfilment", "report_export"]
