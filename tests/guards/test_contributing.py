"""CONTRIBUTING.md done to the letter, in a copy of the tree: with every file the guards are green, without any one they are red."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COPIED = ("bot", "db", "config", "docs", "tests/guards", "tests/need", "pyproject.toml", ".env.example", "README.md")

Edit = Callable[[str], str]
"""The text of a file before, "" where there is none, to the text after."""


def new(text: str) -> Edit:
    """A file that was not there, or had another text."""
    return lambda _: text


def more(text: str) -> Edit:
    """Something at the end."""
    return lambda before: f"{before}\n{text}"


def behind(line: str, text: str) -> Edit:
    """A line behind another one, wherever that stands."""

    def edit(before: str) -> str:
        assert f"{line}\n" in before, line
        return before.replace(f"{line}\n", f"{line}\n{text}\n")

    return edit


@dataclass(frozen=True, slots=True)
class Change:
    """What is under a heading of CONTRIBUTING.md, done. `filled`: what stands for its <…>; `edits`: by the path given there."""

    heading: str
    filled: Mapping[str, str]
    edits: Mapping[str, Edit]

    def path(self, listed: str) -> str:
        """A path as CONTRIBUTING.md gives it, filled in."""
        return re.sub(r"<(\w+)>", lambda found: self.filled[found[1]], listed)


LAST = max(path.name[:4] for path in (ROOT / "db/migrations/versions").glob("0*.py"))
NEXT = f"{int(LAST) + 1:04}"
ROW = "| `GOOD_NIGHT` |  | What to wish, in few words. |"

CHANGES = [
    Change(
        "A command",
        {"name": "motto"},
        {
            "bot/handlers/<name>.py": new(
                '''"""A good word."""

from __future__ import annotations

from telegram import Update

from bot.telegram.turn import Handler, Turn
from bot.views import motto as views


async def motto(_update: Update, turn: Turn) -> None:
    """/motto"""
    turn.say(views.motto(turn.words))


COMMANDS: dict[str, Handler] = {"motto": motto}
PRESSES: dict[str, Handler] = {}
'''
            ),
            "bot/handlers/__init__.py": behind("    morning,", "    motto,"),
            "bot/views/<name>.py": new(
                '''"""A good word."""

from __future__ import annotations

from bot.texts.language import Words
from bot.views.message import View


def motto(words: Words) -> View:
    """One line."""
    return View(words("One night at a time."))
'''
            ),
            "bot/views/pages.py": behind(
                '        "/stop – " + words("no more messages"),', '        "/motto – " + words("a good word"),'
            ),
        },
    ),
    Change(
        "A column of a person",
        {"number": NEXT, "name": "chronotype"},
        {
            "db/tables.py": behind(
                '    sa.Column("pack", sa.SmallInteger),', '    sa.Column("chronotype", sa.String(8)),'
            ),
            "db/migrations/versions/<number>_<name>.py": new(
                f'''"""When a person is at their best."""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{LAST}"


def upgrade() -> None:
    op.add_column("users", sa.Column("chronotype", sa.String(8), nullable=True))
'''
            ),
            "bot/core/model.py": behind("    pack: int | None = None", "    chronotype: str | None = None"),
            "docs/privacy.md": behind("| what | columns |\n|---|---|", "| when at their best | `chronotype` |"),
        },
    ),
    Change(
        "A message kind",
        {"subject": "evening"},
        {
            "bot/core/model.py": behind('    REMINDER = "reminder"', '    WIND_DOWN = "wind_down"'),
            "bot/core/message_kinds.py": more(
                """
KINDS[Kind.WIND_DOWN] = Policy(
    lane=Lane.CHECK_IN,
    view="wind_down",
    when=lambda night: Window(night.due.remind_at - timedelta(minutes=30), night.due.remind_at, night.due.bed_at),
    ahead=timedelta(minutes=30),
    ended_by_answer=True,
    while_paused=False,
)
"""
            ),
            "bot/views/<subject>.py": more(
                '''
def wind_down(words: Words) -> View:
    """Half an hour before the reminder."""
    return View(words("In half an hour I remind you."), silent=True)
'''
            ),
            "bot/delivery/renderer.py": more('VIEWS["wind_down"] = lambda words, _: evening.wind_down(words)\n'),
            "docs/glossary.md": behind(
                "| kind | meaning |\n|---|---|", "| `wind_down` | half an hour before the reminder |"
            ),
        },
    ),
    Change(
        "A tip",
        {},
        {
            "bot/texts/tips.toml": more(
                """
[[tip]]
id = "paper_list"
topic = "wind_down"
text = "A list for tomorrow, on paper, may keep it out of your head tonight. One small study found so."
strength = "Small studies only"
source = "lists_2026"
claims = ["x99999"]
"""
            ),
            "bot/texts/claims.toml": more(
                'x99999 = { phrase = "a list for tomorrow shortens the wait for sleep", verdict = "weak", use = "caveat", '
                'actionable = true, sources = ["lists_2026"] }\n'
            ),
            "bot/texts/sources.toml": more(
                """
[[source]]
id = "lists_2026"
title = "Lists before bed"
authors = "Somebody and others"
year = 2026
link = "https://example.org/lists"
checked = 2026-11-28
"""
            ),
        },
    ),
    Change(
        "A language",
        {"code": "fi"},
        {
            "bot/texts/locales/<code>/LC_MESSAGES/bot.po": new(
                """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Language: fi\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Bedtime {time}"
msgstr "Nukkumaanmeno {time}"
"""
            ),
            "bot/texts/spoken/<code>.toml": new('[time]\nround = ["noin"]\nam = ["aamulla"]\n'),
            "bot/texts/need/<code>.toml": new(
                '[crisis]\nwords = """\nhaluan kuolla\n"""\n\n[urgent]\nwords = """\nen saa henkeä\n"""\n'
            ),
            "tests/need/<code>.toml": new('crisis = """\nhaluan kuolla\n"""\n'),
            "docs/translating.md": behind(
                "| code | language | who writes it |\n|---|---|---|", "| `fi` | Suomi | us |"
            ),
        },
    ),
    Change(
        "A setting",
        {},
        {
            "config/settings.py": behind(
                '        description="Who runs this bot and how to reach them, shown in /privacy; 200 characters at most.",\n    )',
                '    good_night: Annotated[str, BeforeValidator(_line)] = Field(\n        default="",\n'
                '        description="What to wish, in few words.",\n    )',
            ),
            ".env.example": behind("# OPERATOR_CONTACT=", "# What to wish, in few words.\n# GOOD_NIGHT="),
            **{
                page: lambda before: re.sub(r"(?m)^(\| `OPERATOR_CONTACT` .*)$", rf"\1\n{ROW}", before)
                for page in ("docs/settings.md", "README.md")
            },
            "bot/app.py": more(
                'def wish(settings: Settings) -> str:\n    """What it says last."""\n    return settings.good_night\n'
            ),
        },
    ),
]
CASES = [(change, left_out) for change in CHANGES for left_out in (None, *change.edits)]


def listed(heading: str) -> list[str]:
    """The files that CONTRIBUTING.md says a change touches."""
    found = re.search(rf"^### {heading}\n(.*?)(?=^##|\Z)", CONTRIBUTING, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return re.findall(r"^- `([^`]+)`: \S", found[1], re.MULTILINE)


@pytest.fixture(scope="module")
def guards() -> Iterator[Callable[[Path], bool]]:
    """Whether the guards are green in a copy."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.guards.rehearsal"],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        asks, says = running.stdin, running.stdout

        def green(tree: Path) -> bool:
            asks.write(f"{tree}\n")
            asks.flush()
            code = int(says.readline())
            assert code in (0, 1, 2), (tree / "guards.log").read_text(
                encoding="utf-8"
            )  # passed, failed, not to be imported
            return code == 0

        yield green
        asks.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, guards: Callable[[Path], bool]) -> Path:
    """What the guards read, once for all cases: their copies are links to these files."""
    tree = tmp_path_factory.mktemp("original")
    for name in COPIED:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name)
        else:
            shutil.copy2(ROOT / name, tree / name)
    (tree / "tests/guards" / Path(__file__).name).unlink()
    # This also compiles all of it, once for all copies.
    assert guards(tree), (tree / "guards.log").read_text(encoding="utf-8")
    return tree


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.heading)
def test_it_lists_the_files_of_a_change_in_the_order_in_which_they_are_done(change: Change) -> None:
    assert listed(change.heading) == list(change.edits)


@pytest.mark.parametrize(
    ("change", "left_out"),
    CASES,
    ids=lambda value: value.heading if isinstance(value, Change) else f"without {value}" if value else "complete",
)
def test_the_guards_are_green_when_it_was_followed_and_red_when_a_file_was_left_out(
    change: Change, left_out: str | None, original: Path, guards: Callable[[Path], bool], tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(original, tree, copy_function=os.link, ignore=shutil.ignore_patterns("*.log"))
    for name, edit in change.edits.items():
        file = tree / change.path(name)
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        if name != left_out:
            file.unlink(missing_ok=True)  # it is a link
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(edit(before), encoding="utf-8")

    assert guards(tree) is (left_out is None), (tree / "guards.log").read_text(encoding="utf-8")


def test_every_file_that_it_names_is_there() -> None:
    named = re.findall(r"`((?:bot|db|config|tests|docs|deploy)/[\w./<>]+)`", CONTRIBUTING)
    known = [ROOT / re.sub(r"<\w+>.*", "", name) for name in named]

    assert len(named) > 50
    assert [path for path in known if not path.exists()] == []
