"""Add prices to the price book."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from durable_ops.actions.actor import Actor
from durable_ops.audit import log
from durable_ops.costs.prices import LIST_PRICES, Book, Item
from durable_ops.costs.spans import utc_today
from durable_ops.models import Price, Right
from execution_engine.core.errors import InvalidInputError

_PRICED = frozenset((price.book, price.item) for price in LIST_PRICES) | {(Book.SERVER, Item.MACHINE)}


def add_price(actor: Actor, *, book: Book, item: Item, amount: Decimal, per: int, valid_from: date, source: str, reason: str = "") -> None:
    """Adds a price from the day `valid_from` on, replacing one that begins on the same day.

    Raises PermissionDenied, and InvalidInputError for a day that is over (its costs are booked), an item that the book does not have, or a
    price without a source.
    """
    actor.require(Right.MANAGE_PRICES)
    if (book, item) not in _PRICED:
        raise InvalidInputError(f"The book {book.value!r} has no price of {item.value!r}.", field="item", value=item.value)
    today = utc_today()
    if valid_from < today:
        raise InvalidInputError(
            f"A price begins today ({today}) or later: days that are over keep theirs.", field="valid_from", value=str(valid_from)
        )
    if not source.strip():
        raise InvalidInputError("Say where the price is published.", field="source")
    values = {"amount": amount, "per": per, "source": source.strip(), "added_by": actor.name}
    with transaction.atomic():
        price, _ = Price.objects.update_or_create(book=book.value, item=item.value, valid_from=valid_from, defaults=values)
        facts = {"book": book.value, "item": item.value, "amount": str(amount), "per": per, "valid_from": str(valid_from)}
        log.append(actor, log.Act("price.add", "price", str(price.pk), reason=reason, facts=facts))
