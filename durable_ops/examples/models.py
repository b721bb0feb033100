"""What the examples change in the world. Owner: the example named at each table. Kept until somebody deletes it."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now


class Payment(models.Model):
    """`expense-approval`: money that left the house, one row per paid expense."""

    id = models.BigAutoField(primary_key=True)
    idempotency_key = models.UUIDField(unique=True)
    expense_id = models.TextField()
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    paid_at = models.DateTimeField()

    class Meta:
        db_table = "durable_examples_payment"

    def __str__(self) -> str:
        return f"{self.expense_id}: {self.amount}"


class StockItem(models.Model):
    """`order-fulfilment`: how many of an article lie on the shelf."""

    sku = models.TextField(primary_key=True)
    available = models.IntegerField(validators=[MinValueValidator(0)])

    class Meta:
        db_table = "durable_examples_stock_item"
        constraints = [models.CheckConstraint(condition=models.Q(available__gte=0), name="durable_examples_stock_not_negative")]

    def __str__(self) -> str:
        return f"{self.sku}: {self.available}"


class CardPayment(models.Model):
    """`order-fulfilment`: the money of one order at the card company."""

    class State(models.TextChoices):
        HELD = "held"
        CHARGED = "charged"
        RELEASED = "released"
        REFUNDED = "refunded"

    id = models.BigAutoField(primary_key=True)
    idempotency_key = models.UUIDField(unique=True)
    order_id = models.TextField()
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    state = models.TextField(choices=State)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "durable_examples_card_payment"

    def __str__(self) -> str:
        return f"{self.order_id}: {self.amount} {self.state}"


class Shipment(models.Model):
    """`order-fulfilment`: a parcel on its way; its number is what the customer is told."""

    id = models.BigAutoField(primary_key=True)
    order_id = models.TextField()
    shipped_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "durable_examples_shipment"

    def __str__(self) -> str:
        return f"PARCEL-{self.pk:06d}"


class Cart(models.Model):
    """`cart-reminder`: a customer's cart; the shop sets `checked_out_at` when it is bought."""

    cart_id = models.TextField(primary_key=True)
    checked_out_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "durable_examples_cart"

    def __str__(self) -> str:
        return self.cart_id


class ExportJob(models.Model):
    """`report-export`: a slow job of a reporting service, which has its file ready at `ready_at` and not before."""

    id = models.BigAutoField(primary_key=True)
    report = models.TextField()
    requested_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField()

    class Meta:
        db_table = "durable_examples_export_job"

    def __str__(self) -> str:
        return f"{self.report}: ready {self.ready_at:%H:%M:%S}"
