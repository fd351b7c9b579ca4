"""How the code is written, as far as a machine can read it."""

from __future__ import annotations

import ast
import re

from tests.guards import reading


def found(pattern: str, *folders: str) -> list[str]:
    """Where the code of these folders has it: file and line."""
    return [
        f"{path.relative_to(reading.ROOT)}:{number}"
        for folder in folders
        for path in reading.modules(folder)
        for number, line in enumerate(reading.text(path).splitlines(), 1)
        if re.search(pattern, line)
    ]


def test_a_handler_answers_through_its_turn() -> None:
    """What it says then goes out after its transaction is committed."""
    past_it = (
        r"\.(?:reply_(?!to_message\b|markup\b)\w+|send_(?!rate\b)\w+|edit_message_text|answer_callback_query|get_bot)\b"
    )

    assert found(past_it, "bot/handlers") == []


def test_what_is_pure_is_told_what_time_it_is() -> None:
    asks = r"\b(?:datetime|date|time)\.(?:now|utcnow|today|time|time_ns|monotonic|monotonic_ns)\("

    assert found(asks, "bot/core", "bot/views", "bot/charts", "bot/texts") == []


def test_no_test_puts_a_mock_in_the_place_of_a_module() -> None:
    assert found(r"^\s*(?:import|from) .*\bmock\b", "tests") == []


def test_a_broad_except_logs_what_it_caught_or_hands_it_on() -> None:
    every = [path for top in ("bot", "db", "config") for path in reading.modules(top)]
    broad = [
        (path.name, node)
        for path in every
        if re.search(r"except (?:Base)?Exception\b", reading.text(path))
        for node in ast.walk(reading.tree(path))
        if isinstance(node, ast.ExceptHandler) and node.type is not None
        if ast.unparse(node.type) in ("Exception", "BaseException")
    ]
    dropped = [
        f"{name}:{handler.lineno}"
        for name, handler in broad
        if not any(isinstance(node, ast.Name) and node.id == handler.name for node in ast.walk(handler))
        and not any(isinstance(node, ast.Raise) for node in ast.walk(handler))
    ]
    assert len(broad) > 10
    assert dropped == []
