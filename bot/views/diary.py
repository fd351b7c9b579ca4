"""The diary: a month as a keyboard, one night to read and correct, its note."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from bot.core import diary
from bot.core import schedule as times
from bot.core.diary import Detail, EveningFactors, Open, Tally
from bot.core.model import Intake, Night, NightRecord, Person, Rating, Reason
from bot.texts.language import Words
from bot.views import evening as evening_views
from bot.views import morning
from bot.views.message import Button, Row, View, button, keyboard, lines

BETTER, SAME, WORSE, TAKEN, ANSWERED = "↑", "=", "↓", "✓", "•"
"""Signs in the month's buttons. They differ in shape, not in colour, and none of them is an emoji that glares at night."""

NOTHING = "·"
"""The text of a button that stands for no night: Telegram shows no button without a text."""

CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Month:
    """What a month's page shows. `first` is its first day; `begins` the diary's first night, `last` the newest to see.

    Nights from `sealed_from` on are those of a self-experiment under way.
    """

    first: date
    begins: Night
    last: Night
    records: Mapping[Night, NightRecord]
    tally: Tally
    sealed_from: Night | None = None


def month(words: Words, shown: Month) -> View:
    """A month: a button a night, a row a week."""
    text = lines(
        words("<b>{month}</b>", month=words.month(shown.first)),
        words("↑ better · = same · ↓ worse · ✓ taken"),
        words("• answered, in your test: sealed until it is over") if _shows_sealed(shown) else None,
        _counts(words, shown.tally),
        words("Tap a night to see or correct it."),
    )
    days = [(words.first_weekday + shift) % 7 for shift in range(7)]
    head = [button(words.weekday_letter(day), "still") for day in days]
    weeks = diary.month(shown.first, first_weekday=words.first_weekday)
    rows = [[_day(shown, night) for night in week] for week in weeks]
    return View(text, keyboard(head, *rows, _around(words, shown)))


def _counts(words: Words, tally: Tally) -> str | None:
    if not tally.nights:
        return words("No night to show yet: this one begins in the evening.")
    known = words.plural(
        "Taken on {taken} of {n} night · {rated} rated",
        "Taken on {taken} of {n} nights · {rated} rated",
        tally.nights,
        taken=tally.taken,
        rated=tally.rated,
    )
    return lines(known, bags(words, tally))


def bags(words: Words, tally: Tally) -> str | None:
    """Evenings that are not counted as taken, because the content of their bags is not known yet."""
    if not tally.bags:
        return None
    return words.plural("A bag on {n} more, sealed.", "A bag on {n} more, sealed.", tally.bags)


def _shows_sealed(shown: Month) -> bool:
    end = diary.shifted(shown.first, 1) - timedelta(days=1)
    return diary.is_sealed(min(end, shown.last), shown.sealed_from)


def _day(shown: Month, night: Night | None) -> Button:
    if night is None or not shown.begins <= night <= shown.last:
        return button(NOTHING if night is None else str(night.day), "still")
    sealed = diary.is_sealed(night, shown.sealed_from)
    return button(f"{night.day}{signs(shown.records.get(night), sealed=sealed)}", "night", night)


def signs(record: NightRecord | None, *, sealed: bool = False) -> str:
    """A night in a sign or two; no sign is no answer. Of a sealed one only that it was rated: a month of them is a look."""
    if record is None:
        return ""
    if sealed:
        return "" if record.rating is None else ANSWERED
    return _rating_sign(record.rating) + (TAKEN if record.intake is Intake.TAKEN else "")


def _rating_sign(rating: Rating | None) -> str:
    if rating is None:
        return ""
    return BETTER if rating.better_night else SAME if rating is Rating.SAME else WORSE


def _around(words: Words, shown: Month) -> list[Button]:
    before, after = diary.shifted(shown.first, -1), diary.shifted(shown.first, 1)
    back = shown.begins < shown.first
    on = shown.last >= after
    return [
        *([button("‹ " + words.short_month(before), "month", before.isoformat()[:7])] if back else []),
        button(words("Pictures"), "pic", 3),
        *([button(words.short_month(after) + " ›", "month", after.isoformat()[:7])] if on else []),
    ]


# -- one night ---------------------------------------------------------------------------------------------------------


def night(words: Words, person: Person, record: NightRecord, detail: Detail, *, open_: Open) -> View:
    """One night: all that was said, and the buttons to correct it while it is open."""
    zone = "UTC" if person.schedule is None else times.zone_on(person.schedule, record.night)
    text = lines(
        words("<b>{night}</b>", night=words.night(record.night)),
        _intake_line(words, record, zone),
        _rating_line(words, record),
        *detail_lines(words, detail, zone),
    )
    rows: list[Row] = []
    if record.night in open_:
        rows = [_intakes(words, record), *(_ratings(words, record) if record.night <= open_.rateable else [])]
        rows.append(_additions(words, person, record, open_))
    return View(text, keyboard(*rows, _neighbours(words, record.night, open_)), silent=True)


def _intake_line(words: Words, record: NightRecord, zone: str) -> str:
    if record.intake is Intake.TAKEN and record.intake_at is not None:
        at = words.moment(record.intake_at, zone)
        same = times.night_of(record.intake_at, zone) == record.night
        return words("Taken {time}", time=at) if same else words("Taken (noted later)")
    if record.intake is Intake.BAG:
        return words("Bag taken; what was in it is not known yet")
    if record.intake is Intake.SKIPPED and record.reason is Reason.TEST:
        return words("Without, as your test said")
    if record.intake is Intake.SKIPPED:
        why = evening_views.reason_name(words, record.reason)
        return words("Skipped: {reason}", reason=html.unescape(why)) if why else words("Skipped")
    return words("Taken: no answer")


def _rating_line(words: Words, record: NightRecord) -> str:
    if record.rating is None:
        return words("Sleep: no answer")
    name = html.unescape(morning.rating_names(words)[record.rating])
    return words("Sleep: {rating} (late answer)", rating=name) if record.late else words("Sleep: {rating}", rating=name)


def detail_lines(words: Words, detail: Detail, zone: str) -> list[str]:
    """What more was said of the night, a line each; nothing for what was not."""
    found = [
        _onset_line(words, detail),
        _bed_line(words, detail),
        _sleep_line(words, detail, zone),
        None if detail.evening is None else words("Evening: {what}", what=evening_names(words, detail.evening)),
        None if detail.note is None else words("Note: {note}", note=detail.note),
    ]
    return [line for line in found if line is not None]


def _onset_line(words: Words, detail: Detail) -> str | None:
    parts = [
        None if detail.onset is None else words("asleep in {minutes}", minutes=onset_name(words, detail.onset)),
        None if detail.rested is None else words("rested {n} of 5", n=detail.rested),
        None if detail.quality is None else words("quality {n} of 5", n=detail.quality),
    ]
    return _joined(parts)


def onset_name(words: Words, step: int) -> str:
    """A step of minutes to fall asleep."""
    ends = diary.ONSET_STEPS
    if step == 0:
        return words("up to {n} min", n=ends[0])
    if step == len(ends):
        return words("over {n} min", n=ends[-1])
    return words("{low}–{high} min", low=ends[step - 1], high=ends[step])


def _bed_line(words: Words, detail: Detail) -> str | None:
    def at(minute: int | None) -> str | None:
        return None if minute is None else words.minute(minute)

    parts = [
        None if detail.in_bed is None else words("in bed {time}", time=at(detail.in_bed)),
        None if detail.tried is None else words("lights out {time}", time=at(detail.tried)),
        None if detail.woke is None else words("awake {time}", time=at(detail.woke)),
        None if detail.rose is None else words("up {time}", time=at(detail.rose)),
    ]
    return _joined(parts)


def _sleep_line(words: Words, detail: Detail, zone: str) -> str | None:
    slept = diary.sleep(detail, zone)
    parts = [
        None if detail.latency is None else words("asleep in {minutes}", minutes=words("{n} min", n=detail.latency)),
        None if detail.awakenings is None else words.plural("woke {n} time", "woke {n} times", detail.awakenings),
        None if slept.asleep is None else words("slept {length}", length=length(words, slept.asleep)),
        None if slept.efficiency is None else words("{n} % of the time in bed", n=slept.efficiency),
    ]
    return _joined(parts)


def length(words: Words, minutes: int) -> str:
    """A length of time in hours and minutes."""
    hours, rest = divmod(minutes, 60)
    return words("{h} h {m} min", h=hours, m=rest) if hours else words("{n} min", n=rest)


def _joined(parts: list[str | None]) -> str | None:
    """The parts that are there, in one line that begins with a capital where the script has them."""
    line = " · ".join(part for part in parts if part is not None)
    return line[:1].upper() + line[1:] if line else None


def evening_names(words: Words, found: EveningFactors) -> str:
    """What the evening had in it."""
    names = evening_labels(words)
    return ", ".join(html.unescape(names[one]) for one in EveningFactors if one in found) or words("none of these")


def evening_labels(words: Words) -> dict[EveningFactors, str]:
    """The evening's things by name."""
    return {
        EveningFactors.ALCOHOL: words("alcohol"),
        EveningFactors.CAFFEINE: words("caffeine after 14:00"),
        EveningFactors.NAP: words("a nap"),
        EveningFactors.MEAL: words("a heavy meal"),
        EveningFactors.STRESS: words("stress"),
        EveningFactors.ILL: words("ill"),
    }


def _chosen(label: str, *, on: bool) -> str:
    return f"{TAKEN} {label}" if on else label


def _intakes(words: Words, record: NightRecord) -> Row:
    skipped = record.intake is Intake.SKIPPED
    clear = [button(words("Clear"), "fix_in", record.night, CLEAR)] if record.answered else []
    return [
        button(_chosen(words("Taken"), on=record.took), "fix_in", record.night, "taken"),
        button(_chosen(words("Skipped"), on=skipped), "fix_in", record.night, "skipped"),
        *clear,
    ]


def _ratings(words: Words, record: NightRecord) -> list[Row]:
    names = morning.rating_names(words)
    every = [
        button(_chosen(names[rating], on=rating is record.rating), "fix_rate", record.night, rating.value)
        for rating in (Rating.MUCH_BETTER, Rating.BETTER, Rating.SAME, Rating.WORSE, Rating.MUCH_WORSE)
    ]
    clear = [] if record.rating is None else [button(words("Clear"), "fix_rate", record.night, CLEAR)]
    return [every[:2], every[2:3] + clear, every[3:]]


def _additions(words: Words, person: Person, record: NightRecord, open_: Open) -> Row:
    detail = [button(words("Detail"), "det", record.night)] if person.detail and record.night <= open_.rateable else []
    return [
        button(words("Note"), "note", record.night),
        button(words("The evening"), "even", record.night),
        *detail,
    ]


def _neighbours(words: Words, shown: Night, open_: Open) -> Row:
    before, after = shown - timedelta(days=1), shown + timedelta(days=1)
    return [
        *([button("‹ " + words.short_date(before), "night", before)] if before in open_ else []),
        button(words("Month"), "month", shown.isoformat()[:7]),
        *([button(words.short_date(after) + " ›", "night", after)] if after in open_ else []),
    ]


# -- note and evening --------------------------------------------------------------------------------------------------


def ask_note(words: Words, detail: Detail) -> View:
    """The next text becomes the night's note."""
    text = lines(
        words("<b>{night}</b>", night=words.night(detail.night)),
        words("Type your note, up to 500 characters."),
        None if detail.note is None else words("Now: {note}", note=detail.note),
    )
    clear = [] if detail.note is None else [button(words("Remove it"), "note_off", detail.night)]
    return View(text, keyboard([button("‹ " + words("Back"), "night", detail.night), *clear]))


def note_kept(words: Words, detail: Detail, *, cut: bool) -> View:
    """What was kept, in one line."""
    line = words("Noted for {night}.", night=words.night(detail.night))
    text = lines(line, words("I kept the first 500 characters.") if cut else None)
    return View(text, keyboard([button(words("Open the night"), "night", detail.night)]), silent=True)


def evening(words: Words, detail: Detail) -> View:
    """What the evening had in it, to tap on and off."""
    now = detail.evening
    switches = [
        button(_chosen(label, on=now is not None and one in now), "even_set", detail.night, one.value)
        for one, label in evening_labels(words).items()
    ]
    text = lines(
        words("<b>{night}</b>", night=words.night(detail.night)),
        words("What was in the evening? Tap what fits. No answer stays blank."),
    )
    none = [button(_chosen(words("None of these"), on=now == EveningFactors(0)), "even_set", detail.night, 0)]
    clear = [] if now is None else [button(words("Clear"), "even_set", detail.night, CLEAR)]
    rows = [switches[:2], switches[2:4], switches[4:], [*none, *clear]]
    return View(text, keyboard(*rows, [button("‹ " + words("Back"), "night", detail.night)]), silent=True)


def not_there(words: Words) -> View:
    """A date that is not a night of the diary."""
    return View(words("I did not understand that night. Type it like /diary 2026-11-14, or /diary for the month."))


def before_you(words: Words, begins: Night) -> View:
    """A night before the diary's first, or one still to come."""
    return View(
        words("That night is not in your diary. It begins on {day} and ends last night.", day=words.night(begins))
    )
