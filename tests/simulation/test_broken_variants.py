"""A fault test that never failed proves nothing: each guard of the protocol is taken out once, and must be missed."""

from itertools import chain

import pytest

from tests.simulation.ledger import BrokenInvariantError
from tests.simulation.variants import Variant
from tests.simulation.world import run_schedule

SCHEDULES = 3000
RARE = {
    Variant.CLEARS_ANY_ANSWER: 1170,
    Variant.CLEARS_A_SECOND_MARK: 700028684,
    Variant.VANISHED_CHILD_FORGOTTEN: 851371035,
}
"""Seeds that once noticed what takes long to find; they only save time."""


@pytest.mark.parametrize("variant", [variant for variant in Variant if variant is not Variant.INTACT], ids=lambda variant: variant.name)
def test_a_missing_guard_is_noticed(variant: Variant) -> None:
    for seed in chain([RARE.get(variant, 0)], range(SCHEDULES)):
        try:
            run_schedule(seed, variant)
        except BrokenInvariantError:
            return
    pytest.fail(f"{variant.value}: not noticed in {SCHEDULES} schedules")
