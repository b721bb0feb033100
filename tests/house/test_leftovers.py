"""Nothing stays behind when its last user goes: templates, partials, styles, static files."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

# Of such a class the template writes only the beginning, as `tone-{{ tone }}`.
COMPOSED = ("tone-", "series-", "depth-", "json-")
# Found by Django by their names.
BY_NAME = {"400.html", "403.html", "404.html", "500.html", "registration/login.html"}


def texts(repository: Path, *endings: str) -> Iterator[tuple[str, str]]:
    """Ours, by their path; neither tests nor what others wrote."""
    for root in ("durable_ops", "templates", "static"):
        for path in sorted((repository / root).rglob("*")):
            if path.suffix in endings and "vendor" not in path.parts:
                yield str(path.relative_to(repository)), path.read_text()


def names_in(text: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, text))


@pytest.fixture(scope="module")
def code(repository: Path) -> str:
    return "\n".join(text for _, text in texts(repository, ".py", ".html", ".txt"))


def test_every_template_is_used(repository: Path, code: str) -> None:
    """By its name, or by its stem where the ending is chosen for a mail."""
    names = [name.removeprefix("templates/") for name, _ in texts(repository, ".html", ".txt") if name.startswith("templates/")]
    stems = {name: re.sub(r"(\.subject)?\.(html|txt)$", "", name).removeprefix("emails/") for name in names}
    unused = [name for name in names if name not in code and stems[name] not in code]
    assert set(unused) - BY_NAME == set()


def test_every_partial_is_used(repository: Path, code: str) -> None:
    defined = {name for _, text in texts(repository, ".html") for name in re.findall(r"{% partialdef ([\w-]+)", text)}
    rest = re.sub(r"{% partialdef (?![\w-]+ inline)[\w-]+", "", code)
    assert {name for name in defined if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", rest)} == set()


def test_every_style_is_worn(repository: Path) -> None:
    words = {word for _, text in texts(repository, ".py", ".html", ".js", ".svg") for word in re.findall(r"[A-Za-z][\w-]*", text)}
    unworn = set()
    for name, text in texts(repository, ".css"):
        selectors = re.sub(r"\{[^{}]*\}", "{}", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
        unworn |= {f"{name} .{one}" for one in names_in(selectors, r"\.([A-Za-z][\w-]*)") - words if not one.startswith(COMPOSED)}
    assert unworn == set()


def test_every_custom_property_is_read(repository: Path) -> None:
    every = "\n".join(text for _, text in texts(repository, ".css", ".js", ".html", ".py"))
    defined = names_in(every, r"(--[a-z][\w-]*)\s*:")
    assert {name for name in defined if len(re.findall(rf"{name}(?![\w-])(?!\s*:)", every)) == 0} == set()


def test_every_static_file_is_named(repository: Path) -> None:
    every = "\n".join(text for _, text in texts(repository, ".css", ".js", ".html", ".py", ".svg"))
    files = [path for path in (repository / "static").rglob("*") if path.is_file() and "vendor" not in path.parts]
    assert [str(path) for path in files if path.name not in every] == []
