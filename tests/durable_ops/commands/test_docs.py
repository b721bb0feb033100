"""The page on commands names every command, argument and option, and none that is not there; each says what it is for."""

import re
from argparse import Action
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

APPS = {"durable_ops", "execution_engine"}
OURS = {name: app for name, app in get_commands().items() if app in APPS}
OF_DJANGO = {action.dest for action in BaseCommand().create_parser("manage.py", "any")._actions}


def arguments(name: str) -> list[Action]:
    parser = load_command_class(OURS[name], name).create_parser("manage.py", name)
    return [action for action in parser._actions if action.dest not in OF_DJANGO]


def spelt(action: Action) -> str:
    return action.option_strings[-1] if action.option_strings else str(action.metavar or action.dest.upper())


def test_the_page_has_every_command_with_its_options(repository: Path) -> None:
    page = (repository / "durable_ops/docs/commands.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", page, re.MULTILINE)
    shown = {name: sorted(re.findall(r"`([^`]+)`", options)) for name, options in rows}
    assert shown == {name: sorted(spelt(one) for one in arguments(name)) for name in OURS}


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_and_option_says_what_it_is_for(name: str) -> None:
    command: Any = load_command_class(OURS[name], name)
    assert len(command.help) > 40
    silent = [spelt(one) for one in arguments(name) if one.option_strings and not one.help and not one.choices]
    assert silent == []
