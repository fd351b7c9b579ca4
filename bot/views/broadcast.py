"""What an admin sees of a broadcast: the draft, the question before it goes out, its progress, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core import broadcast as core_broadcast
from bot.core.broadcast import Broadcast, BroadcastReport, Fate, Phase
from bot.texts import language
from bot.texts.language import Words
from bot.views.message import Button, View, button, grid, keyboard, lines


def how(words: Words) -> View:
    """/broadcast without a message to send."""
    return View(words("Write or forward me the message, then reply to it with /broadcast."))


def unread(words: Words) -> View:
    """To an admin who sent something that is no text, perhaps so that it goes out."""
    return View(words("I can read text and buttons only. To send that to everyone, reply to it with /broadcast."))


def uncopyable(words: Words) -> View:
    """In the preview's and the draft's place."""
    return View(words("Telegram lets nobody copy that message, so it cannot go out. Please send me another one."))


def of_an_album(words: Words) -> View:
    """Before the preview: Telegram's copies are of single messages."""
    return View(words("That is one of an album. Only this one goes out, with its own caption."))


def draft(words: Words, broadcast: Broadcast, *, people: int, seconds: timedelta, languages: Sequence[str]) -> View:
    """The draft's audience, below its preview."""
    text = lines(
        words("<b>Above is what people will see.</b>"),
        words.plural("To: {who}, {n} person", "To: {who}, {n} people", people, who=_audience(words, broadcast)),
        _by_day_or_at_once(words, broadcast),
        words("Takes about {time}, after everything more urgent.", time=duration(words, seconds)),
    )
    choices = [None, *languages[:5]]
    following = (
        choices[(choices.index(broadcast.language) + 1) % len(choices)] if broadcast.language in choices else None
    )
    other = words("To everyone") if following is None else words("Only {language}", language=language.named(following))
    audience = [button(other, "bc_who", broadcast.id, following or "all")] if len(choices) > 1 else []
    sleep = words("Also at night") if broadcast.awake_only else words("Not at night")
    rest = button(sleep, "bc_sleep", broadcast.id, 0 if broadcast.awake_only else 1)
    go = [button(words("Send…"), "bc_ask", broadcast.id), button(words("Cancel"), "bc_cancel", broadcast.id)]
    return View(text, keyboard([*audience, rest], go))


def _audience(words: Words, broadcast: Broadcast) -> str:
    return words("everyone active") if broadcast.language is None else language.named(broadcast.language)


def _by_day_or_at_once(words: Words, broadcast: Broadcast) -> str:
    if broadcast.awake_only:
        return words("Not while they sleep: each at their own waking time.")
    return words("At once, also at night.")


def ask(words: Words, broadcast: Broadcast, *, people: int) -> View:
    """The second step, with the count."""
    text = words.plural("Send it to {n} person?", "Send it to {n} people?", people)
    yes = button(words("Yes, send to {n}", n=people), "bc_go", broadcast.id, people, style="danger")
    return View(text, keyboard([yes], [button("‹ " + words("Back"), "bc_draft", broadcast.id)]))


def cancelled(words: Words) -> View:
    """A draft that was dropped."""
    return View(words("Dropped. Nothing was sent."))


def busy(words: Words) -> View:
    """Another broadcast is under way."""
    return View(words("Another broadcast is under way. When it has ended, this one can begin."))


def begun(words: Words, broadcast: Broadcast) -> View:
    """The first bar."""
    return progress(words, broadcast, BroadcastReport())


def progress(words: Words, broadcast: Broadcast, report: BroadcastReport) -> View:
    """The bar while it runs, and the report at its end."""
    return View(lines(*_progress(words, broadcast, report)), keyboard(_controls(words, broadcast)))


def report(words: Words, broadcast: Broadcast, report: BroadcastReport) -> View:
    """One of the history, opened."""
    text = lines(
        *_progress(words, broadcast, report),
        "",
        words("To: {who}", who=_audience(words, broadcast)),
        _by_day_or_at_once(words, broadcast),
        words("Begun by {admin}, {time} UTC", admin=broadcast.admin_id, time=_minute(broadcast.created_at)),
        None if broadcast.ended_at is None else words("Ended {time} UTC", time=_minute(broadcast.ended_at)),
    )
    back = button("‹ " + words("Broadcasts"), "adm_casts", "back")
    return View(text, keyboard(_controls(words, broadcast), [back]))


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _progress(words: Words, broadcast: Broadcast, report: BroadcastReport) -> list[str | None]:
    done = sum(report.of(fate) for fate in (Fate.DELIVERED, Fate.BLOCKED, Fate.UNKNOWN, Fate.FAILED))
    total = max(broadcast.total, done)
    waiting = report.of(Fate.PENDING)
    return [
        words("<b>Broadcast {number}: {phase}</b>", number=broadcast.id, phase=phase_name(words, broadcast.phase)),
        words("{bar} {done} of {total}", bar=core_broadcast.bar(done, total), done=done, total=total),
        words("Delivered {n}", n=report.of(Fate.DELIVERED)),
        words(
            "Blocked {b} · unknown {u} · failed {f}",
            b=report.of(Fate.BLOCKED),
            u=report.of(Fate.UNKNOWN),
            f=report.of(Fate.FAILED),
        ),
        words("Waiting for the morning or their turn: {n}", n=waiting) if waiting and broadcast.active else None,
        _left(words, broadcast, total - done),
        *_reasons(words, report),
    ]


def _left(words: Words, broadcast: Broadcast, number: int) -> str | None:
    if broadcast.phase is not Phase.DONE or number <= 0:
        return None
    return words.plural(
        "{n} person left or said no to news meanwhile", "{n} people left or said no to news meanwhile", number
    )


def _reasons(words: Words, report: BroadcastReport) -> list[str]:
    lost = any(core_broadcast.is_lost(reason) for _, reason, _ in report.reasons)
    why = [words("Your message cannot be copied any more; was it deleted? So I stopped.")] if lost else []
    others = [entry for entry in report.reasons if not core_broadcast.is_lost(entry[1])]
    return why + [
        words("• unknown, {reason}: {n}", reason=reason, n=number)
        if fate is Fate.UNKNOWN
        else words("• failed, {reason}: {n}", reason=reason, n=number)
        for fate, reason, number in others
    ]


def _controls(words: Words, broadcast: Broadcast) -> list[Button]:
    stop = button(words("Stop"), "bc_stop", broadcast.id, style="danger")
    if broadcast.phase is Phase.RUNNING:
        return [button(words("Pause"), "bc_pause", broadcast.id), stop]
    if broadcast.phase is Phase.PAUSED:
        return [button(words("Resume"), "bc_resume", broadcast.id, style="success"), stop]
    return []


def phase_name(words: Words, phase: Phase) -> str:
    """A phase in words."""
    return {
        Phase.DRAFT: words("not sent yet"),
        Phase.RUNNING: words("running"),
        Phase.PAUSED: words("paused"),
        Phase.STOPPED: words("stopped"),
        Phase.DONE: words("done"),
        Phase.CANCELLED: words("dropped"),
    }[phase]


def history(words: Words, sent: Sequence[Broadcast]) -> View:
    """The latest broadcasts."""
    if not sent:
        return View(words("No broadcast was sent yet."))
    rows = [
        words.plural(
            "{number} · {day} · {phase} · {n} person",
            "{number} · {day} · {phase} · {n} people",
            each.total,
            number=each.id,
            day=words.short_date(each.created_at.date()),
            phase=phase_name(words, each.phase),
        )
        for each in sent
    ]
    opened = [button(words("Report {number}", number=each.id), "bc_report", each.id) for each in sent]
    return View(lines(words("<b>Broadcasts</b>"), *rows), keyboard(*grid(opened, across=3)))


def duration(words: Words, length: timedelta) -> str:
    """A length of time in the unit that fits."""
    seconds = int(length.total_seconds())
    if seconds < 90:
        return words.plural("{n} second", "{n} seconds", max(1, seconds))
    if seconds < 5400:
        return words.plural("{n} minute", "{n} minutes", -(-seconds // 60))
    return words.plural("{n} hour", "{n} hours", -(-seconds // 3600))
