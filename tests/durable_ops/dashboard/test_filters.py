from django.http import QueryDict

from durable_ops.dashboard.filters import read_attributes, read_filters
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.search import ExecutionFilters


def test_filters_come_from_the_address() -> None:
    read = read_filters(QueryDict("status=failed&state=waiting_for_callback&function=f&version=2&q=+a+&attribute=customer%3D42"))
    wanted = ExecutionFilters(
        status="FAILED", state=StateCode.WAITING_FOR_CALLBACK, function="f", version="2", text="a", attributes={"customer": 42}
    )
    assert (read.filters, read.problems, read.is_narrow) == (wanted, (), True)


def test_empty_filters_narrow_nothing() -> None:
    assert not read_filters(QueryDict("status=&state=&function=&q=+&attribute=&cursor=x")).is_narrow


def test_what_is_not_understood_is_told() -> None:
    read = read_filters(QueryDict("status=GONE&state=odd&attribute=customer"))
    assert read.filters == ExecutionFilters()
    assert len(read.problems) == 3


def test_attribute_values_are_json_where_they_can_be() -> None:
    problems: list[str] = []
    found = read_attributes('a=1, b=x=y, c="7",\n d=true, e={"x":1}, f=NaN', problems)
    assert (found, problems) == ({"a": 1, "b": "x=y", "c": "7", "d": True, "e": '{"x":1}', "f": "NaN"}, [])
