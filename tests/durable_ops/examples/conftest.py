"""What the tests of the examples share."""

import pytest
from django.contrib.auth.models import Group

from durable_ops.examples.models import StockItem
from execution_engine.testing import DurableExecutionTestClient


@pytest.fixture(params=[False, True], ids=["memory", "database"])
def client(request: pytest.FixtureRequest, db: None) -> DurableExecutionTestClient:
    """Each test once in memory, once on the engine's own statements and tables; both on a virtual clock."""
    return DurableExecutionTestClient(database=request.param)


@pytest.fixture(autouse=True)
def people(db: None) -> None:
    """The groups that a migration makes, whatever an earlier test emptied."""
    for name in ("managers", "finance"):
        Group.objects.get_or_create(name=name)


@pytest.fixture
def shelf(db: None) -> None:
    """Four mugs and no unicorn, whatever an earlier test left behind."""
    StockItem.objects.all().delete()
    StockItem.objects.bulk_create(
        [StockItem(sku="mug", available=4), StockItem(sku="lamp", available=1), StockItem(sku="unicorn", available=0)]
    )
