"""Keeps children alive until told to stop, then stops them in order. Everything happens on the main thread."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Protocol

from durable_ops.serve.children import last_lines

POLL_SECONDS = 0.1
# A child that ends soon after its start is started again later and later, so that a broken one does not burn a core.
STEADY_SECONDS = 10.0
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 15.0


class Child(Protocol):
    """Something that can be started again after it died, and writes to a log."""

    log: Path

    @property
    def alive(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Watched:
    """One child with the memory of its starts."""

    def __init__(self, name: str, child: Child, say: Callable[[str], None]) -> None:
        self.name = name
        self.child = child
        self._say = say
        self._started = 0.0
        self._delay = FIRST_DELAY_SECONDS
        self._due: float | None = None

    def start(self) -> None:
        self.child.start()
        self._started = time.monotonic()

    def look(self) -> None:
        """Notice a death, and start again when its delay is over."""
        if self.child.alive:
            return
        now = time.monotonic()
        if self._due is None:
            steady = now - self._started > STEADY_SECONDS
            self._delay = FIRST_DELAY_SECONDS if steady else min(self._delay * 2, LONGEST_DELAY_SECONDS)
            self._due = now + self._delay
            self._say(f"{self.name} ended; starting it again in {self._delay:.1f} s ({last_lines(self.child.log, 1)[:200]})")
        if now >= self._due:
            self._due = None
            self._start_again()

    def _start_again(self) -> None:
        try:
            self.start()
        except Exception as error:  # the next look tries again; giving up would stop what still works
            self._started = time.monotonic()
            self._say(f"{self.name} did not start: {error}")


class Supervisor:
    """Starts children in the order they are added and stops them in the opposite order."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._children: list[Watched] = []
        self._stopping = False
        self._stopping_since = 0.0

    def add(self, name: str, child: Child) -> None:
        watched = Watched(name, child, self._say)
        self._children.append(watched)
        watched.start()

    def watch_signals(self) -> None:
        """From now on Ctrl-C, SIGTERM and a closed terminal end `run()` instead of the process."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` asked to survive the terminal
            signal.signal(signal.SIGHUP, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # One Ctrl-C may come twice, from the terminal and from make; a later one is somebody who wonders.
        if self._stopping and time.monotonic() - self._stopping_since > 1:
            self._say("already stopping; each part has a bounded time for it")
        if not self._stopping:
            self._stopping, self._stopping_since = True, time.monotonic()

    def run(self, meanwhile: Callable[[], None]) -> None:
        """Look after the children until a signal; `meanwhile` is called about ten times a second."""
        while not self._stopping:
            for watched in self._children:
                watched.look()
                if self._stopping:
                    return
            meanwhile()
            time.sleep(POLL_SECONDS)

    @property
    def stopping(self) -> bool:
        return self._stopping

    def stop(self) -> None:
        while self._children:
            self._children.pop().child.stop()
