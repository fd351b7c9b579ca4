"""Tips, forms, sources, the safety page and the fixed answers: read from TOML, checked whole at start, held ready for everybody."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.core import tips
from bot.core.model import Caution, Form, Source, Tip
from bot.texts import need, toml_table
from bot.texts.need import KINDS, Need

FOLDER = Path(__file__).parent
OPERATOR_FILES = ("tips.toml", "sources.toml")

TIP_LONGEST = 350
STRENGTH_LONGEST = 60
CARD_LONGEST = 900
ANSWER_LONGEST = 250
# Telegram takes 4,096 characters a message, and translations grow by a half and more. For each of the page's two halves.
SAFETY_LONGEST = 2300
# A person's muted topics are stored as their ids with commas between, in a column of this length.
TOPICS_LONGEST = 255
WHY_LONGEST = 160
_PRODUCT = "magnesium"
USES = ("ok", "caveat", "avoid")
VERDICTS = ("supported", "weak", "contested", "contradicted")
_LINK = re.compile(r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[^\s<>\"]*)?", re.IGNORECASE)


class ContentError(Exception):
    """The texts break a rule. `problems` holds one sentence for each, naming file and entry."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a text rests on. `use` is ok, caveat or avoid; an actionable claim tells its reader to do something.

    `sources` are those of ours that the verdict rests on.
    """

    id: str
    phrase: str
    verdict: str
    use: str
    actionable: bool
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the safety page; `folded` where most people need not read it."""

    id: str
    title: str
    lines: tuple[Caution, ...]
    folded: bool = False

    @property
    def on_medicines(self) -> bool:
        """Whether it belongs to the page's second half, the medicines."""
        return self.id.startswith("medicines")


@dataclass(frozen=True, slots=True)
class Safety:
    """The static safety page, from top to bottom."""

    intro: str
    sections: tuple[Section, ...]
    closing: str

    def texts(self) -> Iterator[str]:
        """Every text in the order in which it is read."""
        yield self.intro
        yield from self.half(medicines=False)
        yield from self.half(medicines=True)
        yield self.closing

    def half(self, *, medicines: bool) -> Iterator[str]:
        """The sections' texts on one of its two pages."""
        for section in self.sections:
            if section.on_medicines is medicines:
                yield section.title
                yield from (line.text for line in section.lines)


@dataclass(frozen=True, slots=True)
class FixedAnswer:
    """What somebody in need, or with a question for a doctor, is told: a title and lines, never with an amount."""

    id: str
    title: str
    lines: tuple[str, ...]
    strength: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that is said and not computed. All texts are English msgids; views translate and escape them."""

    tips: tuple[Tip, ...]
    topics: Mapping[str, str]  # id -> label, in the order of the file
    strengths: tuple[str, ...]
    forms: tuple[Form, ...]
    sources: tuple[Source, ...]
    safety: Safety
    need: Need
    answers: Mapping[str, FixedAnswer]  # for each of need.KINDS
    claims: tuple[Claim, ...]
    covered: frozenset[str]  # ids of the claims that some tip, form card or safety line rests on
    refuted: frozenset[str]  # ids of claims to avoid that some tip tells openly, and speaks against
    held_back: frozenset[str]  # ids of the topics that would sway somebody in a self-experiment
    withdrawn: Mapping[str, str]  # tips that were shown once and are no more: id -> why, in a few words

    def tip_id(self, number: int) -> str | None:
        """The id of the tip, shown still or withdrawn, that a night remembers by this number; None for an unknown number."""
        return next(
            (one for one in (*(tip.id for tip in self.tips), *self.withdrawn) if tips.number(one) == number), None
        )

    def tip(self, tip_id: str) -> Tip | None:
        """The tip of that id; None if it never existed or the operator has switched it off."""
        return next((tip for tip in self.tips if tip.id == tip_id), None)

    def form(self, form_id: str) -> Form | None:
        """The form of that id, or None."""
        return next((form for form in self.forms if form.id == form_id), None)

    def source(self, source_id: str) -> Source | None:
        """The source of that id; never None for an id that a tip, form or safety line gives."""
        return next((source for source in self.sources if source.id == source_id), None)


def load(operator_dir: Path | None = None, *, folder: Path = FOLDER) -> Content:
    """Read and check our files and, laid over them, the operator's tips.toml and sources.toml.

    Raises ContentError with every problem found, not only the first.
    """
    problems: list[str] = []
    ours = {
        name: toml_table.read(folder / f"{name}.toml", problems)
        for name in ("tips", "forms", "sources", "safety", "claims", "answers")
    }
    theirs = _operator_files(operator_dir, problems)
    content = _build(ours, theirs, need.load(folder / "need", problems), problems)
    if problems:
        raise ContentError(problems)
    return content


def messages(content: Content) -> Iterator[tuple[str, str]]:
    """Every text to translate, once, as (comment for the translator, msgid)."""
    seen: set[str] = set()
    for comment, text in _all_messages(content):
        if text not in seen:
            seen.add(text)
            yield comment, text


def _all_messages(content: Content) -> Iterator[tuple[str, str]]:
    yield from ((f"topic {topic}", label) for topic, label in content.topics.items())
    yield from (("how strong the evidence for a tip is", strength) for strength in content.strengths)
    yield from ((f"tip {tip.id}, at most {TIP_LONGEST} characters", tip.text) for tip in content.tips)
    yield from ((f"why the tip {tip} was withdrawn", why) for tip, why in content.withdrawn.items())
    for form in content.forms:
        yield f"form {form.id}, a short name for a button", form.name
        if form.inline:
            yield f"form {form.id}, as in: Time for your magnesium (glycinate).", form.inline
        yield from ((f"form {form.id}, a card in the form guide", text) for text in (form.what, form.known, form.gut))
    yield from (("the safety page", text) for text in content.safety.texts())
    for answer in content.answers.values():
        for text in (answer.title, *answer.lines):
            yield f"the fixed answer {answer.id}, in need or asked", text


def _operator_files(folder: Path | None, problems: list[str]) -> dict[str, toml_table.Table]:
    if folder is None:
        return {}
    if not folder.is_dir():
        problems.append(f"{folder}: the operator's content folder does not exist.")
        return {}
    found = sorted(folder.glob("*.toml"))
    problems += [
        f"{path}: is not read; an operator's folder holds {' and '.join(OPERATOR_FILES)}."
        for path in found
        if path.name not in OPERATOR_FILES
    ]
    return {path.stem: toml_table.read(path, problems, operator=True) for path in found if path.name in OPERATOR_FILES}


@dataclass(slots=True)
class _Known:
    """What entries may name, and in `covered` the claims that they rest on."""

    sources: Collection[str]
    claims: Mapping[str, Claim]
    topics: Mapping[str, str]
    strengths: Collection[str]
    forms: Collection[str]
    covered: set[str] = field(default_factory=set)
    refuted: set[str] = field(default_factory=set)


def _build(
    ours: Mapping[str, toml_table.Table], theirs: Mapping[str, toml_table.Table], said: Need, problems: list[str]
) -> Content:
    nothing = toml_table.Table("", {}, problems)
    own_tips, their_tips, safety = ours["tips"], theirs.get("tips", nothing), ours["safety"]
    _only_known_fields(ours, theirs)
    their_sources = theirs.get("sources", nothing).tables("source")
    sources = tuple(_source(table) for table in toml_table.overlay(ours["sources"].tables("source"), their_sources))
    source_ids = {source.id for source in sources}
    claims = tuple(_claim(table, source_ids) for table in ours["claims"].named_tables("claims"))
    forms = ours["forms"].tables("form")
    topics = _topics(own_tips.table("topics")) | _topics(their_tips.table("topics"))
    if len(",".join(topics)) > TOPICS_LONGEST:
        their_tips.refuse(f"the ids of all topics have more than {TOPICS_LONGEST} characters together")
    known = _Known(
        sources=source_ids,
        claims={claim.id: claim for claim in claims},
        topics=topics,
        strengths=own_tips.texts("strengths", STRENGTH_LONGEST),
        forms={form.id for form in forms},
    )
    entries = toml_table.overlay(_each_with_sources(own_tips), _each_with_sources(their_tips))
    _numbered(entries)
    return Content(
        tips=tuple(_tip(table, known) for table in entries if "withdrawn" not in table.values),
        withdrawn={table.id: table.prose("withdrawn", WHY_LONGEST) for table in entries if "withdrawn" in table.values},
        topics=topics,
        held_back=frozenset(own_tips.ids("held_back", topics)),
        strengths=tuple(known.strengths),
        forms=tuple(_form(table, known) for table in forms),
        sources=sources,
        safety=_safety(safety, known),
        need=said,
        answers=_answers(ours["answers"], known),
        claims=claims,
        covered=frozenset(known.covered),
        refuted=frozenset(known.refuted),
    )


def _each_with_sources(table: toml_table.Table) -> list[toml_table.Table]:
    """The tips, each with a list of sources: one of them may be given as `source`."""
    entries = table.tables("tip")
    for entry in entries:
        if not entry.operator:
            entry.values.setdefault("tells", False)
        if "source" in entry.values and "sources" in entry.values:
            entry.refuse("it gives both source and sources; one of them is enough")
        elif "source" in entry.values:
            entry.values["sources"] = [entry.text("source", 32)]
        entry.values.pop("source", None)
    return entries


def _numbered(entries: Iterable[toml_table.Table]) -> None:
    """Nights remember their tips by number: no two tips may have the same."""
    taken: dict[int, str] = {}
    for entry in entries:
        other = taken.setdefault(tips.number(entry.id), entry.id)
        if other != entry.id:
            entry.refuse(f"its number is that of {other!r}; take another id")


def _only_known_fields(ours: Mapping[str, toml_table.Table], theirs: Mapping[str, toml_table.Table]) -> None:
    fields = {
        "tips": ("strengths", "held_back", "topics", "tip"),
        "forms": ("form",),
        "sources": ("source",),
        "safety": ("intro", "closing", "section"),
        "answers": ("answer",),
        "claims": ("claims",),
    }
    for name, table in ours.items():
        table.only(*fields[name])
    for name, table in theirs.items():
        table.only(*(known for known in fields[name] if known not in ("strengths", "held_back")))


def _topics(table: toml_table.Table) -> dict[str, str]:
    for topic in table.values:
        if not toml_table.ID.fullmatch(topic):
            table.refuse(f"{topic!r} must be 1 to 32 of a-z, 0-9 and _")
    return {topic: table.prose(topic, 40) for topic in table.values}


def _source(table: toml_table.Table) -> Source:
    table.only("id", "title", "authors", "year", "link", "checked")
    year, link = table.values.get("year"), table.text("link", 300) if "link" in table.values else None
    if year is not None and not (isinstance(year, int) and 1900 <= year <= 2100):
        table.refuse("year is not a whole number from 1900 to 2100")
        year = None
    if link is not None and not _LINK.fullmatch(link):
        table.refuse("link is not an https address")
    checked = table.day("checked")
    if checked is None and not table.operator:
        table.refuse("checked is missing: the day on which somebody last looked at it")
    return Source(table.id, table.text("title", 250), table.text("authors", 100), year, link, checked)


def _claim(table: toml_table.Table, sources: Collection[str]) -> Claim:
    table.only("phrase", "verdict", "use", "actionable", "sources")
    if not isinstance(table.values.get("actionable"), bool):
        table.refuse("actionable is neither true nor false")
    return Claim(
        id=table.id,
        phrase=table.text("phrase", 120),
        verdict=table.one_of("verdict", VERDICTS),
        use=table.one_of("use", USES),
        actionable=table.values.get("actionable") is True,
        sources=table.ids("sources", sources),
    )


def _rest_on(table: toml_table.Table, known: _Known) -> tuple[str, ...]:
    """The claims that an entry rests on. It is a problem if one of them is marked 'avoid'."""
    claims = table.ids("claims", known.claims)
    for claim in claims:
        if claim in known.claims and known.claims[claim].use == "avoid":
            table.refuse(f"it rests on the claim {claim!r}, which is not to be used")
    known.covered.update(claims)
    return claims


def _refutes(table: toml_table.Table, known: _Known) -> tuple[str, ...]:
    """The claims that an entry refutes. It is a problem if one of them is not marked 'avoid'."""
    claims = table.ids("refutes", known.claims)
    for claim in claims:
        if claim in known.claims and known.claims[claim].use != "avoid":
            table.refuse(f"it refutes the claim {claim!r}, which other texts may rest on")
    known.refuted.update(claims)
    return claims


def _tip(table: toml_table.Table, known: _Known) -> Tip:
    table.only("id", "topic", "text", "strength", "sources", "claims", "refutes", "unfit_forms", "by_day", "tells")
    claims = _rest_on(table, known)
    if not (_refutes(table, known) or claims or table.operator):
        table.refuse("it names no claim that it rests on, nor one that it refutes")
    sources, text = table.ids("sources", known.sources), table.prose("text", TIP_LONGEST)
    if not sources:
        table.refuse("it names no source")
    return Tip(
        id=table.id,
        topic=table.one_of("topic", known.topics),
        text=text,
        strength=table.one_of("strength", known.strengths),
        sources=sources,
        claims=claims,
        unfit_forms=table.ids("unfit_forms", known.forms),
        by_day=table.flag("by_day"),
        # An operator's tip that does not say is hidden, to be on the safe side.
        tells=table.flag("tells", otherwise=table.operator) or _PRODUCT in text.lower(),
    )


def _form(table: toml_table.Table, known: _Known) -> Form:
    table.only("id", "name", "inline", "what", "known", "gut", "sources", "claims")
    _rest_on(table, known)
    name, sources = table.prose("name", 24), table.ids("sources", known.sources)
    what, about, gut = (table.prose(key, CARD_LONGEST) for key in ("what", "known", "gut"))
    if not sources:
        table.refuse("it names no source")
    if (length := len(name + what + about + gut)) > CARD_LONGEST:
        table.refuse(f"the card has {length} characters, {CARD_LONGEST} is the most")
    inline = table.prose("inline", 40) if "inline" in table.values else ""
    return Form(table.id, name, inline, what, about, gut, sources)


def _safety(table: toml_table.Table, known: _Known) -> Safety:
    safety = Safety(
        intro=table.prose("intro", 400),
        sections=tuple(_section(section, known) for section in table.tables("section")),
        closing=table.prose("closing", 200),
    )
    for medicines in (False, True):
        length = (
            len(safety.intro) + len(safety.closing) + sum(len(text) + 3 for text in safety.half(medicines=medicines))
        )
        if length > SAFETY_LONGEST:
            table.refuse(f"the page has {length} characters, {SAFETY_LONGEST} is the most")
    return safety


def _section(table: toml_table.Table, known: _Known) -> Section:
    table.only("id", "title", "folded", "line")
    entries = tuple(_line(line, known) for line in table.tables("line"))
    return Section(table.id, table.prose("title", 220), entries, table.flag("folded"))


def _line(table: toml_table.Table, known: _Known) -> Caution:
    table.only("id", "text", "sources", "claims")
    _rest_on(table, known)
    return Caution(table.id, table.prose("text", 300), table.ids("sources", known.sources))


def _answers(table: toml_table.Table, known: _Known) -> dict[str, FixedAnswer]:
    """The fixed answers, exactly one for each kind of need."""
    found = {entry.id: _answer(entry, known) for entry in table.tables("answer")}
    if found.keys() != set(KINDS):
        table.refuse(f"there must be one answer for each of {', '.join(KINDS)}, and no other")
    return found


def _answer(table: toml_table.Table, known: _Known) -> FixedAnswer:
    table.only("id", "title", "lines", "strength", "sources", "claims")
    _rest_on(table, known)
    lines = table.texts("lines", ANSWER_LONGEST)
    for line in lines:
        table.no_amount("lines", line)
    strength = table.one_of("strength", known.strengths) if "strength" in table.values else None
    return FixedAnswer(
        table.id, table.prose("title", ANSWER_LONGEST), lines, strength, table.ids("sources", known.sources)
    )
