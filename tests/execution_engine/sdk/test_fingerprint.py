"""The fingerprint follows the durable calls, and nothing else."""

import importlib.util
from pathlib import Path

from execution_engine.sdk.fingerprint import fingerprint_of

BASE = """
def charge(context, amount):
    return context.step("charge", lambda: amount)

def plain(amount):
    return amount * 2

def handler(event, context):
    total = plain(event["amount"])
    if total > 5:
        context.wait("cool-off", seconds=5)
    return charge(context, total)
"""


def fingerprint(folder: Path, text: str) -> str:
    path = folder / f"module_{abs(hash(text))}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("sample_functions", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return fingerprint_of(module.handler)


def test_formatting_and_plain_code_do_not_count(tmp_path: Path) -> None:
    base = fingerprint(tmp_path, BASE)
    assert len(base) == 64
    for before, after in [
        ("amount * 2", "amount * 3  # doubled and more"),
        ("total", "the_total"),
        ("seconds=5", "seconds=6"),
        ('"charge", lambda: amount', '"charge",\n        lambda: amount'),
        ("def plain(amount):\n    return", "def plain(amount):\n    '''Doubles.'''\n    return"),
    ]:
        assert fingerprint(tmp_path, BASE.replace(before, after)) == base, after


def test_every_durable_call_counts_also_in_helpers(tmp_path: Path) -> None:
    base = fingerprint(tmp_path, BASE)
    for before, after in [
        ('"charge"', '"charge-card"'),
        ("context.wait(", "context.create_callback("),
        ("if total > 5:", "while total > 5:"),
        ("return charge(context, total)", "context.step('more', plain)\n    return charge(context, total)"),
        ("return charge(context, total)", "return total"),
    ]:
        assert fingerprint(tmp_path, BASE.replace(before, after)) != base, after


def test_what_has_no_source_has_no_fingerprint() -> None:
    assert fingerprint_of(len) == ""
