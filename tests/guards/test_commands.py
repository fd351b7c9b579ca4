"""A command is in the menu or the help, and is answered; a handler module is known to its folder."""

from __future__ import annotations

import ast
import importlib
import re
from html import unescape
from pathlib import Path

import pytest

from bot import handlers
from bot.texts import language
from bot.views import menu, pages

ENGLISH = language.words("en")
FOLDER = Path(handlers.__file__).parent
FOR_ADMINS = {name for name, _ in menu.for_admins(ENGLISH)} - {name for name, _ in menu.commands(ENGLISH)}
FOR_ALL = handlers.COMMANDS.keys() - FOR_ADMINS


def named_in_the_help() -> set[str]:
    text = unescape(re.sub(r"</?[a-z][^<>]*>", "", pages.help_page(ENGLISH, contact="").text))
    return set(re.findall(r"(?<![\w/])/([a-z]+)\b", text))


def tables(module: Path) -> list[str]:
    """Which of the tables of commands, buttons and answers a module has, and has something in."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)]
    return [node.target.id for node in assigned if isinstance(node.target, ast.Name) and node.value.keys]


@pytest.mark.parametrize("module", sorted(FOLDER.glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_a_module_with_commands_or_buttons_or_answers_is_registered(module: Path) -> None:
    kept = {"COMMANDS", "PRESSES", "ANSWERS"} & set(tables(module))
    found = importlib.import_module(f"bot.handlers.{module.stem}")

    if kept & {"COMMANDS", "PRESSES"}:
        assert found in handlers.MODULES
    if "ANSWERS" in kept:
        assert found.ANSWERS.keys() <= handlers.ANSWERS.keys()


def test_every_command_stands_in_the_help() -> None:
    # /help itself is where one is, everybody comes by /start, and a language is offered once there are two.
    unsaid = {"help", "start"} if language.can_choose() else {"help", "start", "language"}
    assert named_in_the_help() | unsaid == FOR_ALL


def test_what_the_menu_offers_is_answered_and_helped_with() -> None:
    offered = {name for name, _ in menu.commands(ENGLISH)}

    assert offered <= FOR_ALL
    assert offered <= named_in_the_help() | {"help", "start"}


def test_an_admins_menu_has_everything_that_only_admins_can_do() -> None:
    assert handlers.COMMANDS.keys() >= FOR_ADMINS
    assert {"admin", "broadcast"} <= FOR_ADMINS
