"""Log lines as their reader may find them: whom something is masked for searches what they may read, nothing else."""

from typing import Any
from uuid import UUID

from durable_ops.selectors.masking import Masks
from execution_engine.selectors.logs import PAGE, LogRow, list_lines

LOOKS = 10
"""Pages that a search through masked lines reads at most before it hands on its place."""


def find_lines(
    masks: Masks, execution_id: UUID, *, text: str = "", after: int = 0, limit: int = PAGE, **kinds: Any
) -> tuple[list[LogRow], int | None]:
    """At most `limit` lines after the line `after`, and the place that the next page begins after, None when nothing follows.

    `kinds` as `list_lines`. Masked lines are searched after they are masked, page by page: that a line was found, that more follow and
    where they stand would else tell whoever may not see a value whether they guessed a part of it. A search that has looked through
    `LOOKS` pages answers what it found so far, perhaps nothing, and its place.
    """
    if not (masks.paths and text):
        rows = list_lines(execution_id, text=text, after=after, limit=limit + 1, **kinds)
        return masks.lines(rows[:limit]), rows[limit - 1].id if len(rows) > limit else None
    wanted, found = text.casefold(), list[LogRow]()
    for _ in range(LOOKS):
        rows = list_lines(execution_id, after=after, limit=PAGE, **kinds)
        for line in masks.lines(rows):
            if wanted not in line.message.casefold():
                continue
            if len(found) == limit:
                return found, found[-1].id
            found.append(line)
        if len(rows) < PAGE:
            return found, None
        after = rows[-1].id
    return found, after
