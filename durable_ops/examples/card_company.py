"""A card company in one table: holds, charges, releases and refunds money, and knows a few cards for trying things out.

Every call carries the order's idempotency key, so that a call repeated after a crash changes nothing the second time.
"""

from decimal import Decimal
from uuid import UUID

from django.db.models.functions import Now

from durable_ops.examples.models import CardPayment

State = CardPayment.State


class CardDeclined(Exception):
    """The bank says no; asking again changes nothing."""


class InvalidCard(Exception):
    """There is no such card; asking again changes nothing."""


class CardCompanyBusy(Exception):
    """No answer for now; asking again may help."""


def hold(key: UUID, order_id: str, amount: Decimal, card: str) -> None:
    """Sets the money aside. Cards: card-good, card-declined, card-busy (never answers); any other is `InvalidCard`."""
    if card == "card-declined":
        raise CardDeclined("the bank declined the card")
    if card == "card-busy":
        raise CardCompanyBusy("the card company does not answer")
    if card != "card-good":
        raise InvalidCard(f"there is no card {card!r}")
    CardPayment.objects.get_or_create(idempotency_key=key, defaults={"order_id": order_id, "amount": amount, "state": State.HELD})


def charge(key: UUID) -> None:
    _move(key, State.HELD, State.CHARGED)


def release(key: UUID) -> None:
    _move(key, State.HELD, State.RELEASED)


def refund(key: UUID) -> None:
    _move(key, State.CHARGED, State.REFUNDED)


def _move(key: UUID, before: State, after: State) -> None:
    CardPayment.objects.filter(idempotency_key=key, state=before).update(state=after, changed_at=Now())
