"""`python -m benchmarks [name…] [--write] [--quick]`: measure, show, and write into docs/reliability.md between its marks."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

from benchmarks import capacity, parts, pictures, presses, reminders, scale, starting
from benchmarks.parts import Figure

DOC = parts.ROOT / "docs" / "reliability.md"
HEADING = "## The speed tables"
BEGIN, END = "<!-- figures:begin {name} -->", "<!-- figures:end {name} -->"


async def _capacity(*, quick: bool) -> list[Figure]:
    del quick  # it takes seconds
    return capacity.run()


async def _pictures(*, quick: bool) -> list[Figure]:
    del quick  # it takes seconds
    return await pictures.run()


PARTS: dict[str, Callable[..., Coroutine[object, object, list[Figure]]]] = {
    "presses": lambda *, quick: presses.run(number=900 if quick else 6000),
    "reminders": lambda *, quick: reminders.run(number=500 if quick else 10_000),
    "scale": lambda *, quick: scale.run(people=20_000 if quick else 1_000_000),
    "capacity": _capacity,
    "pictures": _pictures,
    "starting": lambda *, quick: starting.run(number=500 if quick else 5000),
}


def write(name: str, text: str, doc: Path = DOC) -> None:
    """Put a table in the place of the last one of this name, or at the end of the section on speed."""
    page = doc.read_text(encoding="utf-8") if doc.exists() else ""
    begin, end = BEGIN.format(name=name), END.format(name=name)
    block = f"{begin}\n`python -m benchmarks {name}` on {parts.machine()}:\n\n{text}\n{end}\n"
    if begin in page:
        before, rest = page.split(begin, 1)
        page = before + block.rstrip("\n") + rest.split(end, 1)[1]
    elif HEADING in page:
        before, after = page.split(HEADING, 1)
        section, mark, rest = after.partition("\n## ")
        page = f"{before}{HEADING}{section.rstrip()}\n\n{block}{mark}{rest}"
    else:
        page = f"{page.rstrip()}\n\n{HEADING}\n\n{block}".lstrip()
    doc.write_text(page, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *PARTS], help="all, when none is named")
    parser.add_argument("--quick", action="store_true", help="small numbers, for trying out")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {DOC.name}")
    given = parser.parse_args()
    for name in given.names or PARTS:
        text = parts.table(asyncio.run(PARTS[name](quick=given.quick)))
        print(f"{name}, {parts.machine()}\n{text}\n")
        if given.write:
            write(name, text)


if __name__ == "__main__":
    main()
