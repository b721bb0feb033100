"""The analyst's model: small, local and deterministic. It reads the question and its notes, and decides what to do next.

It stands where a call to a language model would stand, and answers in the same shape. A note is one earlier decision
with what the tool said: {"tool", "argument", "output", "error"}.
"""

import re
from typing import Any

from durable_ops.examples.analyst.search import stems

Note = dict[str, Any]
Decision = dict[str, Any]

MEASURES = {"revenue": "revenue", "turnover": "revenue", "sales": "revenue", "units": "units", "pieces": "units", "sold": "units"}
MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
VALUES = {
    "region": ["north", "east", "south", "west"],
    "product": ["lamp", "mug", "notebook", "chair"],
    "month": MONTHS,
}
SMALL_WORDS = frozenset(
    stems(
        """a about after all an and any are be before by can do does for from get has have how i if in is it many much my
        of on or our per should than that the there they this to was we what when where which who why will with you your"""
    )
)
GOOD_COVERAGE = 0.6


def decide(question: str, notes: list[Note]) -> Decision:
    """Either {"tool": name, "argument": text} or {"answer": text}."""
    if expression := arithmetic_in(question):
        return calculate(expression, notes)
    if measure := measure_in(question):
        return ask_figures(question, measure, notes)
    return look_up(question, notes)


def arithmetic_in(question: str) -> str | None:
    """The longest piece that looks like "12 * (3 + 4)", or nothing."""
    pieces = [piece.strip() for piece in re.findall(r"[\d.\s()+*/-]+", question)]
    sums = [piece for piece in pieces if re.search(r"\d\)?\s*[+*/-]\s*[\d(+-]", piece)]
    return max(sums, key=len, default=None)


def calculate(expression: str, notes: list[Note]) -> Decision:
    if not notes:
        return {"tool": "calculator", "argument": expression}
    last = notes[-1]
    if last["error"]:
        return {"answer": f"{expression} cannot be calculated: {last['error']}"}
    return {"answer": f"{expression} = {last['output']:g}"}


def measure_in(question: str) -> str | None:
    return next((column for word, column in MEASURES.items() if re.search(rf"\b{word}\b", question.lower())), None)


def ask_figures(question: str, measure: str, notes: list[Note]) -> Decision:
    """One query for a total or a ranking; for a share the part, the whole, and the calculator."""
    where = filters_in(question)
    if notes and notes[-1]["error"]:
        return {"answer": f"the figures cannot be read: {notes[-1]['error']}"}
    if (column := ranked_column(question)) is not None:
        return rank(question, measure, column, where, notes)
    if re.search(r"\b(share|percent|percentage)\b", question.lower()) and where:
        return share(measure, where, notes)
    if not notes:
        return {"tool": "sql", "argument": total_query(measure, where)}
    return {"answer": f"{measure}{described(where)}: {notes[0]['output'][0][0]:,.2f}"}


def rank(question: str, measure: str, column: str, where: dict[str, str], notes: list[Note]) -> Decision:
    order = "asc" if re.search(r"\b(least|lowest|worst|fewest|smallest)\b", question.lower()) else "desc"
    if not notes:
        group = f"group by {column} order by 2 {order}, 1 limit 1"
        return {"tool": "sql", "argument": f"select {column}, sum({measure}) from sales{condition(where)} {group}"}  # noqa: S608
    rows = notes[0]["output"]
    return {"answer": f"{rows[0][0]}, with {measure} of {rows[0][1]:,.2f}{described(where)}" if rows else "there are no such sales"}


def share(measure: str, where: dict[str, str], notes: list[Note]) -> Decision:
    if len(notes) < 2:
        return {"tool": "sql", "argument": total_query(measure, where if not notes else {})}
    part, whole = (note["output"][0][0] for note in notes[:2])
    if len(notes) < 3:
        return {"tool": "calculator", "argument": f"{part} / {whole} * 100"}
    return {"answer": f"{notes[2]['output']:.1f} percent of all {measure}{described(where)}"}


def ranked_column(question: str) -> str | None:
    found = re.search(r"\b(?:which|what|best|worst)\s+(region|product|month)\b", question.lower())
    return found.group(1) if found else None


def filters_in(question: str) -> dict[str, str]:
    """The values of the table's columns that the question names, such as {"region": "north"}."""
    words = question.lower()
    named = {column: [value for value in values if re.search(rf"\b{value}s?\b", words)] for column, values in VALUES.items()}
    return {column: values[0] for column, values in named.items() if values}


def total_query(measure: str, where: dict[str, str]) -> str:
    return f"select coalesce(sum({measure}), 0) from sales{condition(where)}"  # noqa: S608


def condition(where: dict[str, str]) -> str:
    # The values come from VALUES above, never from the question's own text.
    return " where " + " and ".join(f"{column} = '{value}'" for column, value in where.items()) if where else ""


def described(where: dict[str, str]) -> str:
    return f" ({', '.join(f'{column} {value}' for column, value in where.items())})" if where else ""


def look_up(question: str, notes: list[Note]) -> Decision:
    """Searches with ever fewer words until a passage speaks about most of the question."""
    words = [word for word in dict.fromkeys(stems(question)) if word not in SMALL_WORDS]
    if notes and notes[-1]["output"] and coverage(words, notes[-1]["output"]["text"]) >= GOOD_COVERAGE:
        found = notes[-1]["output"]
        return {"answer": f"{found['text']} ({found['source']})"}
    return {"tool": "search", "argument": rephrased(question, words, len(notes))}


def coverage(words: list[str], text: str) -> float:
    there = set(stems(text))
    return sum(1 for word in words if word in there) / len(words) if words else 0.0


def rephrased(question: str, words: list[str], turn: int) -> str:
    """First the question as it was asked, then all its words but one, then single words, and round again."""
    fewer = [" ".join(words[:left] + words[left + 1 :]) for left in range(len(words))] if len(words) > 2 else []
    attempts = [question, *fewer, *words]
    return attempts[turn % len(attempts)]
