"""Full-text search in the shipped handbook: BM25 over its paragraphs."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

HANDBOOK = Path(__file__).resolve().parent.parent / "data" / "handbook"
SATURATION, LENGTH_WEIGHT = 1.2, 0.75  # k1 and b of BM25, the usual values


@dataclass(frozen=True, slots=True)
class Passage:
    source: str
    text: str
    words: Counter[str]


def search(query: str) -> dict[str, Any] | None:
    """The best passage as {"source", "text", "score"}, or None when no word of the query occurs."""
    wanted = stems(query)
    best = max(passages(), key=lambda passage: score(passage, wanted))
    points = score(best, wanted)
    return {"source": best.source, "text": best.text, "score": round(points, 3)} if points > 0 else None


def score(passage: Passage, wanted: list[str]) -> float:
    average = sum(each.words.total() for each in passages()) / len(passages())
    length = 1 - LENGTH_WEIGHT + LENGTH_WEIGHT * passage.words.total() / average
    return sum(
        rarity(word) * passage.words[word] * (SATURATION + 1) / (passage.words[word] + SATURATION * length)
        for word in set(wanted)
        if passage.words[word]
    )


def rarity(word: str) -> float:
    """A word that stands in few passages says more about where to look."""
    holding = sum(1 for passage in passages() if passage.words[word])
    return math.log(1 + (len(passages()) - holding + 0.5) / (holding + 0.5))


@lru_cache(maxsize=1)
def passages() -> tuple[Passage, ...]:
    """Every paragraph of the handbook below its title."""
    found = []
    for path in sorted(HANDBOOK.glob("*.md")):
        title, *paragraphs = path.read_text(encoding="utf-8").strip().split("\n\n")
        found += [Passage(path.name, text, Counter(stems(f"{title} {text}"))) for text in paragraphs]
    return tuple(found)


def stems(text: str) -> list[str]:
    """Lower-case words without the commonest English endings, so that "refunds" finds "refund"."""
    return [re.sub(r"(ing|ed|es|s)$", "", word) if len(word) > 4 else word for word in re.findall(r"[a-z0-9]+", text.lower())]
