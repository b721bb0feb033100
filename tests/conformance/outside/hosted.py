"""The handlers of CONFORMANCE_HANDLERS as they are, for a host in another process: nothing of ours is imported."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.conformance.outside.loading import load
from tests.conformance.outside.templates import deployed_in


def loaded(folder: Path) -> Iterator[tuple[str, Callable[[Any, Any], Any]]]:
    for deployed in deployed_in(folder):
        try:
            yield deployed.name, load(deployed, "adapter").handler
        except Exception:  # one bad file must not hide the others: its requirements fail by themselves
            logging.getLogger(__name__).exception("%s was not loaded", deployed.path)


HANDLERS = dict(loaded(Path(os.environ["CONFORMANCE_HANDLERS"])))
