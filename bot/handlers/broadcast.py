"""/broadcast: a draft, its audience, a second question with the count, and the buttons of one under way."""

from __future__ import annotations

from telegram import Update

from bot.core import broadcast as core_broadcast
from bot.core.broadcast import Broadcast, Phase
from bot.handlers import admins
from bot.telegram.turn import Handler, Needs, Route, Turn
from bot.views import broadcast as views
from bot.views.message import View
from db import broadcasts


async def broadcast(update: Update, turn: Turn) -> None:
    """/broadcast, as a reply to the message that is to go out"""
    message = update.effective_message
    original = None if message is None else message.reply_to_message
    if not await admins.allowed(update, turn):
        return
    if original is None:
        turn.say(views.how(turn.words))
        return
    number = await broadcasts.draft(turn.db, admin_id=turn.person.id, message_id=original.message_id, now=turn.now)
    if original.media_group_id is not None:
        turn.say(views.of_an_album(turn.words))
    found = await broadcasts.find(turn.db, number)
    if found is not None:
        turn.copy(original.message_id, then=await _draft(turn, found), otherwise=views.uncopyable(turn.words))


async def _draft(turn: Turn, found: Broadcast) -> View:
    people = await broadcasts.audience(turn.db, found.language)
    seconds = core_broadcast.takes(people, rate=turn.settings.send_rate)
    known = await broadcasts.languages(turn.db)
    return views.draft(turn.words, found, people=people, seconds=seconds, languages=known)


async def _mine(update: Update, turn: Turn, *phases: Phase) -> Broadcast | None:
    """The pressed broadcast, for an admin, in one of these phases; a draft only for its author."""
    if not await admins.allowed(update, turn):
        return None
    found = await broadcasts.find(turn.db, turn.press.number(0) or 0)
    known = found is not None and found.phase in phases
    if found is None or not known or (found.phase is Phase.DRAFT and found.admin_id != turn.person.id):
        turn.out_of_date(update)
        return None
    return found


async def who(update: Update, turn: Turn) -> None:
    """Another audience for the draft."""
    found = await _mine(update, turn, Phase.DRAFT)
    if found is None:
        return
    code = turn.press.arg(1)
    language = code if code in await broadcasts.languages(turn.db) else None
    await broadcasts.choose(turn.db, found.id, language=language, awake_only=found.awake_only)
    await _show_draft(update, turn, found.id)


async def sleep(update: Update, turn: Turn) -> None:
    """Also at night, or not."""
    found = await _mine(update, turn, Phase.DRAFT)
    if found is None:
        return
    await broadcasts.choose(turn.db, found.id, language=found.language, awake_only=turn.press.arg(1) == "1")
    await _show_draft(update, turn, found.id)


async def back(update: Update, turn: Turn) -> None:
    """Back to the draft."""
    found = await _mine(update, turn, Phase.DRAFT)
    if found is not None:
        await _show_draft(update, turn, found.id)


async def _show_draft(update: Update, turn: Turn, number: int) -> None:
    turn.answer(update)
    found = await broadcasts.find(turn.db, number)
    if found is not None:
        turn.edit(update, await _draft(turn, found))


async def ask(update: Update, turn: Turn) -> None:
    """[Send…]: the count once more."""
    found = await _mine(update, turn, Phase.DRAFT)
    if found is None:
        return
    turn.answer(update)
    turn.edit(update, views.ask(turn.words, found, people=await broadcasts.audience(turn.db, found.language)))


async def go(update: Update, turn: Turn) -> None:
    """[Yes, send]: it begins, unless another one is under way."""
    found = await _mine(update, turn, Phase.DRAFT)
    query = update.callback_query
    if found is None or query is None or query.message is None:
        return
    turn.answer(update)
    total = await broadcasts.audience(turn.db, found.language)
    if not await broadcasts.begin(turn.db, found.id, total=total, panel_id=query.message.message_id):
        turn.edit(update, views.busy(turn.words))
        return
    await admins.note(turn, f"broadcast {found.id} to {total} begun")
    started = await broadcasts.find(turn.db, found.id)
    turn.edit(update, views.begun(turn.words, started or found))


async def cancel(update: Update, turn: Turn) -> None:
    """[Cancel] a draft."""
    found = await _mine(update, turn, Phase.DRAFT)
    if found is None:
        return
    await broadcasts.move(turn.db, found.id, to=Phase.CANCELLED, now=turn.now, among=[Phase.DRAFT])
    turn.answer(update)
    turn.edit(update, views.cancelled(turn.words))


async def report(update: Update, turn: Turn) -> None:
    """One of the history: what became of it, to whom it went and who sent it; with its buttons while it runs."""
    found = await _mine(update, turn, Phase.RUNNING, Phase.PAUSED, Phase.STOPPED, Phase.DONE)
    if found is not None:
        turn.answer(update)
        turn.edit(update, views.report(turn.words, found, await broadcasts.report(turn.db, found.id)))


async def _turn_to(update: Update, turn: Turn, phase: Phase, *among: Phase) -> None:
    found = await _mine(update, turn, *among)
    if found is None:
        return
    await broadcasts.move(turn.db, found.id, to=phase, now=turn.now, among=among)
    await admins.note(turn, f"broadcast {found.id} {phase.value}")
    turn.answer(update)
    fresh = await broadcasts.find(turn.db, found.id) or found
    turn.edit(update, views.progress(turn.words, fresh, await broadcasts.report(turn.db, found.id)))


async def pause(update: Update, turn: Turn) -> None:
    """[Pause]"""
    await _turn_to(update, turn, Phase.PAUSED, Phase.RUNNING)


async def resume(update: Update, turn: Turn) -> None:
    """[Resume]"""
    await _turn_to(update, turn, Phase.RUNNING, Phase.PAUSED)


async def stop(update: Update, turn: Turn) -> None:
    """[Stop]: what has not gone out never will."""
    await _turn_to(update, turn, Phase.STOPPED, Phase.RUNNING, Phase.PAUSED)


COMMANDS: dict[str, Handler | Route] = {"broadcast": Route(broadcast, Needs.NOTHING)}
PRESSES: dict[str, Handler] = {
    "bc_who": who,
    "bc_sleep": sleep,
    "bc_draft": back,
    "bc_ask": ask,
    "bc_go": go,
    "bc_cancel": cancel,
    "bc_pause": pause,
    "bc_resume": resume,
    "bc_stop": stop,
    "bc_report": report,
}
