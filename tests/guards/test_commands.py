"""A command is in the menu or the help, and is answered; a handler module is known to its folder."""

from __future__ import annotations

import ast
import importlib
import re
from html import unescape
from pathlib import Path

import pytest

from bot import handlers
from bot.core.model import Awaiting
from bot.texts import language
from bot.views import menu, pages
from tests.guards import reading

ENGLISH = language.words("en")
FOLDER = Path(handlers.__file__).parent
FOR_ADMINS = {name for name, _ in menu.for_admins(ENGLISH)} - {name for name, _ in menu.commands(ENGLISH)}
FOR_ALL = handlers.COMMANDS.keys() - FOR_ADMINS


def named_in_the_help() -> set[str]:
    text = unescape(re.sub(r"</?[a-z][^<>]*>", "", pages.help_page(ENGLISH, contact="").text))
    return set(re.findall(r"(?<![\w/])/([a-z]+)\b", text))


def tables(module: Path) -> list[str]:
    """Which of the tables of commands, buttons and answers a module has, and has something in."""
    body = reading.tree(module).body
    assigned = [node for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)]
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


def test_every_button_that_a_view_writes_is_answered() -> None:
    """As far as its verb is written out."""
    calls = [
        node
        for path in (*reading.modules("bot/views"), *reading.modules("bot/handlers"))
        if "button(" in reading.text(path)
        for node in ast.walk(reading.tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "button"
    ]
    verbs = {call.args[1].value for call in calls if len(call.args) > 1 and isinstance(call.args[1], ast.Constant)}

    assert len(verbs) > 50
    assert verbs <= handlers.PRESSES.keys()


def test_every_typed_answer_that_is_awaited_is_taken() -> None:
    """By the table of answers, or by `free_text`, which looks for its own before it asks the table."""
    own = (FOLDER / "free_text.py").read_text(encoding="utf-8") + (FOLDER / "diary.py").read_text(encoding="utf-8")
    taken_there = set(re.findall(r"is (?:not )?Awaiting\.([A-Z_]+)", own))

    assert {awaited.name for awaited in Awaiting} == {awaited.name for awaited in handlers.ANSWERS} | taken_there
