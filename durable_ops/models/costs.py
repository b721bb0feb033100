"""Prices, what ended executions used, and its sums by day. Owner: `costs/`."""

from decimal import Decimal

from django.db import models
from django.db.models.functions import Now


class Price(models.Model):
    """A price that was added to the list prices of `costs/prices.py`. Owner: `actions/prices.py`, `costs/ledger.py`. Kept for good.

    Valid from a day (UTC) that had not ended when it was added; the books are names of `costs.prices.Book`.
    """

    id = models.BigAutoField(primary_key=True)
    book = models.TextField()
    item = models.TextField()
    amount = models.DecimalField(max_digits=24, decimal_places=12, help_text="US dollars for `per` units")
    per = models.BigIntegerField(default=1)
    valid_from = models.DateField()
    source = models.TextField()
    added_by = models.TextField()
    added_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "durable_ops_price"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["book", "item", "valid_from"], name="one_price_per_day")]

    def __str__(self) -> str:
        return f"{self.book} {self.item}: {self.amount} per {self.per} from {self.valid_from}"


class UsageColumns(models.Model):
    """The columns of `execution_engine.selectors.costs.COLUMNS`."""

    requests = models.BigIntegerField(default=0)
    operations = models.BigIntegerField(default=0)
    mb_ms = models.BigIntegerField(default=0)
    bytes_written = models.BigIntegerField(default=0)
    byte_seconds = models.DecimalField(max_digits=30, decimal_places=0, default=Decimal(0))
    retry_requests = models.BigIntegerField(default=0)
    retry_operations = models.BigIntegerField(default=0)
    retry_mb_ms = models.BigIntegerField(default=0)
    retry_bytes_written = models.BigIntegerField(default=0)
    retry_byte_seconds = models.DecimalField(max_digits=30, decimal_places=0, default=Decimal(0))
    step_attempts = models.BigIntegerField(default=0)
    active_ms = models.BigIntegerField(default=0)
    idle_ms = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class CostEntry(UsageColumns):
    """What one execution used up to one end, without what earlier entries of it have booked: a redrive adds an entry.

    Owner: `costs/ledger.py`. Removed 100 days after the month of its end, when no execution can be left that it belongs to.
    """

    pk = models.CompositePrimaryKey("execution_id", "ended_at")
    execution_id = models.UUIDField()
    ended_at = models.DateTimeField()
    day = models.DateField(help_text="UTC day of the end")
    month = models.DateField(help_text="first day of that month")
    function = models.TextField()
    version = models.TextField()
    status = models.TextField()
    rank = models.DecimalField(max_digits=30, decimal_places=15, help_text="cost at the list prices of its booking, to order by")

    class Meta:
        db_table = "durable_ops_cost_entry"
        default_permissions = ()
        indexes = [models.Index(fields=["month", "function", "-rank"], name="cost_entry_dearest")]


class CostDay(UsageColumns):
    """The sums of a day's entries (UTC), by function, version and status at the end. Owner: `costs/ledger.py`. Kept for good."""

    pk = models.CompositePrimaryKey("day", "function", "version", "status")
    day = models.DateField()
    function = models.TextField()
    version = models.TextField()
    status = models.TextField()
    executions = models.BigIntegerField(default=0, help_text="ended for the first time that day")

    class Meta:
        db_table = "durable_ops_cost_day"
        default_permissions = ()


class CostCursor(models.Model):
    """How far the ledger has looked through the ends of executions. Owner: `costs/ledger.py`. One row per pass, kept for good."""

    name = models.TextField(primary_key=True)
    ended_at = models.DateTimeField()
    execution_id = models.UUIDField()

    class Meta:
        db_table = "durable_ops_cost_cursor"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} up to {self.ended_at}"
