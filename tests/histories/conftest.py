"""The journeys of the examples need their shelf."""

from tests.durable_ops.examples.conftest import shelf

__all__ = ["shelf"]
