"""Bills: quantities times prices, each line with its arithmetic. Decimal throughout; only what is shown is rounded, to the cent."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cached_property

from durable_ops.costs.prices import Book, Item, Price, PriceBook
from execution_engine.selectors.costs import COUNTED, Quantities, Usage

CENT = Decimal("0.01")
GB = Decimal(10**9)
MONTH_SECONDS = Decimal(30 * 86_400)


class Basis(StrEnum):
    """The prices at which durable functions are metered."""

    X86 = "aws-x86"
    ARM = "aws-arm"
    PUBLISHED = "published"

    @property
    def book(self) -> Book:
        return Book.PUBLISHED if self is Basis.PUBLISHED else Book.AWS

    @property
    def compute(self) -> Item:
        return Item.COMPUTE_ARM if self is Basis.ARM else Item.COMPUTE_X86


BASIS_WORDS: Mapping[Basis, str] = {
    Basis.X86: "AWS list price, x86",
    Basis.ARM: "AWS list price, ARM",
    Basis.PUBLISHED: "Published example",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity at one price."""

    words: str
    quantity: Decimal
    price: Price

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price.amount / self.price.per

    @property
    def arithmetic(self) -> str:
        """`200,000 x 8.00 / 1,000,000 = 1.60`, in US dollars."""
        per = f" / {self.price.per:,}" if self.price.per != 1 else ""
        return f"{number_text(self.quantity)} × {price_text(self.price.amount)}{per} = {amount_text(self.amount)}"


@dataclass(frozen=True)
class Bill:
    """`lines` in the order of their charges; one charge has two lines where its price changed within the time."""

    words: str
    lines: tuple[Line, ...]

    @cached_property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal())

    @property
    def arithmetic(self) -> str:
        """`0.01 + 0.20 + 4.17 + 0.16 = 4.54`: the lines and their sum, each rounded for itself."""
        amounts = [amount_text(line.amount) for line in self.lines if line.quantity]
        return f"{' + '.join(amounts)} = {amount_text(self.total)}" if len(amounts) > 1 else amount_text(self.total)


@dataclass(frozen=True, slots=True)
class Charge:
    """What is charged for: which price, and how much of it a usage has."""

    words: str
    book: Book
    item: Item
    quantity: Callable[[Usage], Decimal]


def gb_seconds(usage: Usage) -> Decimal:
    """Memory that was reserved, for as long as handlers ran."""
    return Decimal(usage.total.mb_ms) / (1024 * 1000)


def durable_charges(basis: Basis) -> tuple[Charge, ...]:
    """What AWS bills for durable functions; the published example has no price for writing."""
    return (
        Charge("Requests", basis.book, Item.REQUEST, lambda usage: Decimal(usage.total.requests)),
        Charge("Durable operations", basis.book, Item.OPERATION, lambda usage: Decimal(usage.total.operations)),
        Charge("Compute, GB-s", basis.book, basis.compute, gb_seconds),
        Charge("Written, GB", basis.book, Item.WRITE, lambda usage: usage.total.bytes_written / GB),
        Charge("Retained, GB-months", basis.book, Item.RETENTION, lambda usage: usage.total.byte_seconds / GB / MONTH_SECONDS),
    )


def step_functions_charges(basis: Basis) -> tuple[Charge, ...]:
    """The same work as a standard state machine.

    A transition for the start and for each state entered, attempts again; each attempt of a step is a Lambda request of its own, and
    the compute is the same. States that code does not need (Choice, Pass, Catch) would come on top.
    """
    return (
        Charge("State transitions", Book.STEP_FUNCTIONS, Item.TRANSITION, lambda usage: Decimal(usage.total.operations)),
        Charge("Lambda requests", Book.AWS, Item.REQUEST, lambda usage: Decimal(usage.step_attempts)),
        Charge("Compute, GB-s", basis.book, basis.compute, gb_seconds),
    )


class Meter:
    """The total of a bill for durable functions without its lines, for many quantities."""

    def __init__(self, basis: Basis, book: PriceBook) -> None:
        self._charges = durable_charges(basis)
        self._book = book
        self._rates: dict[date, tuple[Decimal, ...]] = {}

    def amount(self, day: date, quantities: Quantities) -> Decimal:
        """In US dollars, at the prices of that day."""
        return self.sum(day, [getattr(quantities, name) for name in COUNTED])

    def sum(self, day: date, numbers: Iterable[int | Decimal]) -> Decimal:
        """The same for the numbers of COUNTED, in their order."""
        rates = self._rates.get(day)
        if rates is None:
            rates = self._rates[day] = tuple(self._rate(day, name) for name in COUNTED)
        return sum((number * rate for number, rate in zip(numbers, rates, strict=True)), Decimal())

    def _rate(self, day: date, name: str) -> Decimal:
        """What one of these costs: every charge is linear."""
        one = Usage(Quantities(**{name: 1}))
        found = ((charge.quantity(one), self._book.find(charge.book, charge.item, day)) for charge in self._charges)
        return sum((quantity * price.amount / price.per for quantity, price in found if price is not None), Decimal())


def make_bill(words: str, charges: Sequence[Charge], usages: Iterable[tuple[date, Usage]], book: PriceBook) -> Bill:
    """Usage of several days, each at the prices of its day."""
    lines = []
    days = list(usages)
    for charge in charges:
        quantities: dict[Price, Decimal] = defaultdict(Decimal)
        for day, usage in days:
            price = book.find(charge.book, charge.item, day)
            if price is not None:
                quantities[price] += charge.quantity(usage)
        lines += [Line(charge.words, quantity, price) for price, quantity in sorted(quantities.items(), key=lambda one: one[0].valid_from)]
    return Bill(words, tuple(lines))


def standing_bill(words: str, item_book: tuple[Book, Item], days: Iterable[date], book: PriceBook, *, machines: int = 1) -> Bill:
    """What something that is paid by the month costs for these days: each is its share of its own month."""
    months: dict[Price, Decimal] = defaultdict(Decimal)
    for day in days:
        price = book.find(*item_book, day)
        if price is not None:
            months[price] += Decimal(machines) / monthrange(day.year, day.month)[1]
    label = "Months" if machines == 1 else f"Months of {machines} machines"
    return Bill(words, tuple(Line(label, quantity, price) for price, quantity in months.items()))


def cents(amount: Decimal) -> Decimal:
    """Rounded half up, as on a bill."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def amount_text(amount: Decimal) -> str:
    """To the cent; what is less than ten cents and not whole cents with two digits that say something."""
    rounded = cents(amount)
    if amount == rounded or abs(amount) >= CENT * 10:
        return f"{rounded:,}"
    return f"{amount:.{1 - amount.adjusted()}f}"


def number_text(quantity: Decimal) -> str:
    """Whole numbers as they are, others with four digits after the point, small ones with three that say something."""
    if quantity == quantity.to_integral_value():
        return f"{int(quantity):,}"
    if abs(quantity) < CENT:
        return f"{quantity:.{2 - quantity.adjusted()}f}"
    return f"{quantity:,.4f}".rstrip("0")


def price_text(amount: Decimal) -> str:
    """Every digit that a price has, at least two after the point."""
    _, _, rest = f"{amount.normalize():f}".partition(".")
    return f"{amount:,.{max(2, len(rest))}f}"
