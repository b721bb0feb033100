"""Scripted deaths of a worker process."""

from dataclasses import dataclass

from execution_engine.core.errors import InvocationInterrupt


class ProcessDeath(InvocationInterrupt):
    """The pretended death of the worker process: nothing after this moment is recorded."""


@dataclass
class Crash:
    """One death, right after or right before the `checkpoints`-th checkpoint of an invocation. Counts down as they come."""

    checkpoints: int
    is_before: bool = False

    def __post_init__(self) -> None:
        if self.checkpoints < 1:
            raise ValueError(f"count is at least 1, not {self.checkpoints}")

    def is_now(self, *, before: bool) -> bool:
        """Asked once before and once after each checkpoint; stays true from then on."""
        if before is self.is_before:
            self.checkpoints -= 1
        return self.checkpoints <= 0
