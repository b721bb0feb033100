"""What if: the bill of a month for work that is described by a few numbers, beside the same work on Step Functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from durable_ops.costs.bills import (
    Basis,
    Bill,
    Line,
    cents,
    durable_charges,
    make_bill,
    step_functions_charges,
)
from durable_ops.costs.prices import Book, Item, Price, PriceBook
from execution_engine.selectors.costs import Quantities, Usage


@dataclass(frozen=True, slots=True)
class Scenario:
    """A month of executions that are all alike.

    `seconds` of active compute and `kilobytes` (of 1,000 bytes) of payload per execution, kept for `months`; `transitions` of the same
    work as a state machine (as many as operations when 0), whose Lambda invocations cost `elsewhere` in all where that is known.
    `wait_seconds` per execution costs nothing.
    """

    volume: int = 50_000
    operations: int = 4
    transitions: int = 0
    invocations: int = 1
    seconds: Decimal = Decimal(5)
    memory_mb: int = 1024
    kilobytes: Decimal = Decimal(32)
    months: Decimal = Decimal(1)
    wait_seconds: int = 0
    basis: Basis = Basis.X86
    elsewhere: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """`saved` is the share of the state machine's cost that durable functions do not cost, in percent; None where that is nothing."""

    durable: Bill
    state_machine: Bill
    saved: int | None
    waited_seconds: int

    @property
    def bills(self) -> tuple[Bill, Bill]:
        return self.durable, self.state_machine


@dataclass(frozen=True, slots=True)
class Example:
    """A published sum: what it says, and what the calculator has to say to it."""

    words: str
    scenario: Scenario
    says: str
    note: str = ""


def estimate(scenario: Scenario, book: PriceBook, day: date) -> Estimate:
    """At the prices of `day`."""
    usage = _usage(scenario)
    durable = make_bill("Durable functions", durable_charges(scenario.basis), [(day, usage)], book)
    charges = step_functions_charges(scenario.basis)
    as_states = Usage(Quantities(operations=_transitions(scenario), mb_ms=usage.total.mb_ms), step_attempts=usage.step_attempts)
    state_machine = make_bill("Step Functions", charges if scenario.elsewhere is None else charges[:1], [(day, as_states)], book)
    if scenario.elsewhere is not None:
        said = Price(Book.PUBLISHED, Item.REQUEST, scenario.elsewhere, 1, day, "given")
        state_machine = Bill(state_machine.words, (*state_machine.lines, Line("Its Lambda invocations, as given", Decimal(1), said)))
    there = cents(state_machine.total)
    saved = int((100 * (there - cents(durable.total)) / there).to_integral_value()) if there else None
    return Estimate(durable, state_machine, saved, scenario.volume * scenario.wait_seconds)


def _usage(scenario: Scenario) -> Usage:
    volume = scenario.volume
    written = int(volume * scenario.kilobytes * 1000)
    quantities = Quantities(
        requests=volume * scenario.invocations,
        operations=volume * scenario.operations,
        mb_ms=int(volume * scenario.seconds * 1000 * scenario.memory_mb),
        bytes_written=written,
        byte_seconds=int(written * scenario.months * 30 * 86_400),
    )
    return Usage(quantities, step_attempts=volume * scenario.operations)


def _transitions(scenario: Scenario) -> int:
    return scenario.volume * (scenario.transitions or scenario.operations)


def _only(operations: int = 0, transitions: int = 0, **values: Any) -> Scenario:
    """A scenario of which only what is named costs anything."""
    nothing: dict[str, Any] = {"seconds": Decimal(0), "kilobytes": Decimal(0), "elsewhere": Decimal(0), "invocations": 0}
    return Scenario(operations=operations, transitions=transitions, **{**nothing, **values})


EXAMPLES: Mapping[str, Example] = {
    "expenses": Example(
        "50,000 expense approvals a month",
        Scenario(transitions=8, basis=Basis.PUBLISHED, elsewhere=Decimal(15)),
        "0.01 + 0.20 + 4.17 + 0.16 = 4.54, against 10.00 + 15.00 = 25.00 on Step Functions: 82 % less",
    ),
    "transitions-8": Example("10,000 runs of 8 transitions", _only(transitions=8, volume=10_000), "2.00 on Step Functions"),
    "transitions-20": Example("A million runs of 20 transitions", _only(transitions=20, volume=1_000_000), "500.00 on Step Functions"),
    "transitions-10": Example("A million runs of 10 transitions", _only(transitions=10, volume=1_000_000), "250.00 on Step Functions"),
    "x86": Example("A million runs of 2 s at 1 GB on x86", _only(volume=1_000_000, seconds=Decimal(2)), "33.33 of compute"),
    "arm": Example(
        "A million runs of 2 s at 1 GB on ARM",
        _only(volume=1_000_000, seconds=Decimal(2), basis=Basis.ARM),
        "26.67 of compute at the list price",
        note="An article says 33.40 for ARM: it used 0.0000167 per GB-second, the x86 price rounded. ARM's list price is 0.0000133334.",
    ),
}
