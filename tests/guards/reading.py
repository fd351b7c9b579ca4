"""What several guards read: each file is parsed once, the texts are loaded once."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

from bot.texts import content
from bot.texts.content import Content

ROOT = Path(__file__).parents[2]


@functools.cache
def texts() -> Content:
    """Tips, sources and the rest, as they are checked at every start."""
    return content.load()


@functools.cache
def modules(folder: str) -> tuple[Path, ...]:
    """Every module below a folder, by its name from the root."""
    return tuple(sorted((ROOT / folder).rglob("*.py")))


@functools.cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path))


def section(document: str, heading: str) -> str:
    """What stands under a heading `## …` of a Markdown file."""
    return (ROOT / document).read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
