"""The price book: what a unit costs from which day on, and who says so.

List prices stand here; what people add or the server costs are rows of `models.Price`. A price is never changed, a newer one
begins on a later day, so whatever was priced before keeps its price.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from durable_ops import models

MILLION = 1_000_000


class Book(StrEnum):
    """A set of prices that belong together."""

    AWS = "aws"
    STEP_FUNCTIONS = "step-functions"
    CLUSTER = "cluster"
    SERVER = "server"
    PUBLISHED = "published"


class Item(StrEnum):
    """What is priced; its words and unit stand in ITEMS."""

    REQUEST = "request"
    OPERATION = "operation"
    COMPUTE_X86 = "compute-x86"
    COMPUTE_ARM = "compute-arm"
    WRITE = "write"
    RETENTION = "retention"
    TRANSITION = "transition"
    CLUSTER_LOW = "month-low"
    CLUSTER_HIGH = "month-high"
    MACHINE = "machine-month"


@dataclass(frozen=True, slots=True)
class ItemWords:
    """How people call an item, and one unit of it."""

    words: str
    unit: str


ITEMS: Mapping[Item, ItemWords] = MappingProxyType(
    {
        Item.REQUEST: ItemWords("Requests", "request"),
        Item.OPERATION: ItemWords("Durable operations", "operation"),
        Item.COMPUTE_X86: ItemWords("Compute, x86", "GB-second"),
        Item.COMPUTE_ARM: ItemWords("Compute, ARM", "GB-second"),
        Item.WRITE: ItemWords("Written", "GB"),
        Item.RETENTION: ItemWords("Retained", "GB-month"),
        Item.TRANSITION: ItemWords("State transitions", "transition"),
        Item.CLUSTER_LOW: ItemWords("Cluster, at least", "month"),
        Item.CLUSTER_HIGH: ItemWords("Cluster, at most", "month"),
        Item.MACHINE: ItemWords("Machine", "machine and month"),
    }
)
BOOK_WORDS: Mapping[Book, str] = MappingProxyType(
    {
        Book.AWS: "AWS Lambda durable functions, list price",
        Book.STEP_FUNCTIONS: "AWS Step Functions, standard workflows",
        Book.CLUSTER: "A self-hosted engine on its own cluster",
        Book.SERVER: "This server",
        Book.PUBLISHED: "A published example's prices",
    }
)


@dataclass(frozen=True, slots=True)
class Price:
    """`amount` US dollars for `per` units of `item`, from `valid_from` (UTC) until the next price of that item in that book."""

    book: Book
    item: Item
    amount: Decimal
    per: int
    valid_from: date
    source: str

    @property
    def each(self) -> Decimal:
        return self.amount / self.per

    @property
    def words(self) -> str:
        return ITEMS[self.item].words

    @property
    def unit(self) -> str:
        return ITEMS[self.item].unit


_LAUNCH = date(2025, 12, 1)
_LAMBDA = "https://aws.amazon.com/lambda/pricing/, US East (N. Virginia)"
_STEP_FUNCTIONS = "https://aws.amazon.com/step-functions/pricing/, US East (N. Virginia)"
_ARTICLE = "the published example of 50,000 expense approvals a month"
_CLUSTER = "estimates in articles on running a workflow engine yourself: servers and database of a small cluster"


def _price(book: Book, item: Item, amount: str, per: int, source: str, since: date = _LAUNCH) -> Price:
    return Price(book, item, Decimal(amount), per, since, source)


LIST_PRICES: tuple[Price, ...] = (
    _price(Book.AWS, Item.REQUEST, "0.20", MILLION, _LAMBDA),
    _price(Book.AWS, Item.OPERATION, "8.00", MILLION, _LAMBDA),
    _price(Book.AWS, Item.COMPUTE_X86, "0.0000166667", 1, _LAMBDA),
    _price(Book.AWS, Item.COMPUTE_ARM, "0.0000133334", 1, _LAMBDA),
    _price(Book.AWS, Item.WRITE, "0.25", 1, _LAMBDA),
    _price(Book.AWS, Item.RETENTION, "0.15", 1, _LAMBDA),
    _price(Book.STEP_FUNCTIONS, Item.TRANSITION, "25.00", MILLION, _STEP_FUNCTIONS),
    _price(Book.CLUSTER, Item.CLUSTER_LOW, "800", 1, _CLUSTER),
    _price(Book.CLUSTER, Item.CLUSTER_HIGH, "1200", 1, _CLUSTER),
    _price(Book.PUBLISHED, Item.REQUEST, "0.20", MILLION, _ARTICLE),
    _price(Book.PUBLISHED, Item.OPERATION, "1.00", MILLION, _ARTICLE),
    _price(Book.PUBLISHED, Item.COMPUTE_X86, "0.0000166667", 1, _ARTICLE),
    _price(Book.PUBLISHED, Item.COMPUTE_ARM, "0.0000167", 1, "an article that calls this the ARM price; AWS's list says 0.0000133334"),
    _price(Book.PUBLISHED, Item.RETENTION, "0.10", 1, _ARTICLE),
)


class PriceBook:
    """All prices by book and item, oldest first."""

    def __init__(self, prices: Iterable[Price]) -> None:
        rows: dict[tuple[Book, Item], list[Price]] = defaultdict(list)
        for price in sorted(prices, key=lambda price: price.valid_from):
            rows[price.book, price.item].append(price)
        self._rows = dict(rows)

    @property
    def prices(self) -> list[Price]:
        return [price for rows in self._rows.values() for price in rows]

    def find(self, book: Book, item: Item, day: date) -> Price | None:
        """The price on that day; before the first one the first one counts. None when the book does not price the item."""
        rows = self._rows.get((book, item), [])
        at = bisect_right(rows, day, key=lambda price: price.valid_from)
        return rows[max(at - 1, 0)] if rows else None

    def changes(self) -> list[date]:
        """The days on which some price of a book begins that another one precedes, in order."""
        return sorted({price.valid_from for rows in self._rows.values() for price in rows[1:]})


def price_book() -> PriceBook:
    """One query. A row that begins on the day of a list price takes its place."""
    added = [
        Price(Book(row.book), Item(row.item), row.amount, row.per, row.valid_from, row.source)
        for row in models.Price.objects.filter(book__in=list(Book), item__in=list(Item)).order_by("valid_from")
    ]
    taken = {(price.book, price.item, price.valid_from) for price in added}
    return PriceBook([*(price for price in LIST_PRICES if (price.book, price.item, price.valid_from) not in taken), *added])
