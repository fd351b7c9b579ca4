"""Admins: the check who is one, the one-time claim, /admin, and the audit of what admins do."""

from __future__ import annotations

from telegram import Update

from bot.telegram.turn import Handler, Needs, OwnMenu, Route, Turn
from bot.views import admin as views
from bot.views import broadcast, menu
from bot.views.message import View
from config import logs
from db import admin_claim, broadcasts, counts

_log = logs.logger(__name__)


async def allowed(update: Update, turn: Turn) -> bool:
    """Whether the sender is an admin in their private chat. Others get the answer to an unknown command, and are logged."""
    private = update.effective_chat is not None and update.effective_chat.id == turn.person.id
    if private and await is_one(turn):
        return True
    _log.warning("an admin's command or button from somebody else", person=logs.person(turn.person.id))
    if update.callback_query is not None:
        turn.out_of_date(update)
    else:
        turn.say(View(turn.words("I do not know that command. /help shows those I know.")))
    return False


async def is_one(turn: Turn) -> bool:
    """Whether this person is an admin: named by number in the settings, or by the one-time link."""
    return turn.person.id in turn.settings.admin_ids or turn.person.id in await broadcasts.admins(turn.db)


async def note(turn: Turn, action: str) -> None:
    """An audit line for what this admin did."""
    await broadcasts.note(turn.db, admin_id=turn.person.id, action=action, now=turn.now)


async def claim(update: Update, turn: Turn, code: str) -> None:
    """`/start claim_…`: the one-time link."""
    if await admin_claim.redeem(turn.db, code, user_id=turn.person.id, now=turn.now):
        await note(turn, "claimed with the one-time link")
        turn.say(views.claimed(turn.words))
        _give_menu(turn)
    else:
        _log.warning("a claim link that is not good", person=logs.person(turn.person.id))
        turn.say(
            View(turn.words("That link is used up or too old. Whoever runs me makes a new one: python -m bot claim"))
        )


async def admin(update: Update, turn: Turn) -> None:
    """/admin"""
    if await allowed(update, turn):
        turn.say(await _panel(turn))
        _give_menu(turn)


def _give_menu(turn: Turn) -> None:
    """An admin's own commands: also for one named in the settings who pressed Start only after the bot's start."""
    turn.replies.append(OwnMenu(menu.for_admins(turn.words)))


async def _panel(turn: Turn) -> View:
    found = await counts.tonight(turn.db, now=turn.now)
    version, database, free = turn.services.about()
    about = views.about(turn.words, version=version, database=database, free_mb=free, dead=found.dead_letters)
    trouble = views.trouble(turn.words, logs.last_trouble())
    return views.panel(turn.words, found.people, found.reminders | {"late": found.late}, about=[*about, trouble])


async def refresh(update: Update, turn: Turn) -> None:
    """[Refresh]"""
    if await allowed(update, turn):
        turn.answer(update)
        turn.edit(update, await _panel(turn))


async def reload(update: Update, turn: Turn) -> None:
    """[Reload tips]: the operator's folder is read again; a mistake in it changes nothing and is named."""
    if not await allowed(update, turn):
        return
    problems = turn.services.reload()
    turn.answer(update)
    if problems:
        turn.say(views.not_reloaded(turn.words, problems))
        return
    await note(turn, "content reloaded")
    turn.edit(update, await _panel(turn))


async def history(update: Update, turn: Turn) -> None:
    """[Broadcasts]"""
    if await allowed(update, turn):
        turn.answer(update)
        shown = broadcast.history(turn.words, await broadcasts.latest(turn.db, limit=10))
        # As a new message beside the panel, or in place of a report.
        if turn.press.arg(0) == "back":
            turn.edit(update, shown)
        else:
            turn.say(shown)


async def trail(update: Update, turn: Turn) -> None:
    """[Audit]"""
    if await allowed(update, turn):
        turn.answer(update)
        turn.say(views.trail(turn.words, await broadcasts.trail(turn.db, limit=15)))


COMMANDS: dict[str, Handler | Route] = {"admin": Route(admin, Needs.NOTHING)}
PRESSES: dict[str, Handler] = {"adm": refresh, "adm_reload": reload, "adm_casts": history, "adm_trail": trail}
