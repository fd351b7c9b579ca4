"""Faults on the way in: storing, confirming, order, once, and what is put aside."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_INBOX, _DISPATCHER, _QUEUES = "db/inbox.py", "bot/updates/dispatcher.py", "bot/updates/queues.py"
_POLLING, _LEADERSHIP = "bot/updates/polling.py", "bot/runtime/leadership.py"

_ORDER = ("tests/updates/test_order.py",)
_TRIES = ("tests/updates/test_tries.py",)
_POINTS = ("tests/crash/test_every_point.py",)

MUTANTS = (
    Mutant(
        "confirm-before-the-commit",
        "a batch is confirmed to Telegram also when it could not be stored",
        _POLLING,
        "        new = await store(self._database, self._queues, stored_updates)\n",
        "        await self._confirm([stored_update.update_id for stored_update in stored_updates], new=1)\n"
        "        new = await store(self._database, self._queues, stored_updates)\n",
        ("tests/updates/test_confirming.py",),
    ),
    Mutant(
        "no-order-between-replicas",
        "a later update is handled before an earlier one that a dead replica left",
        _INBOX,
        "mine = sa.and_(_inbox.c.user_id == stored_update.user_id, _inbox.c.update_id <= stored_update.update_id)",
        "pass",
        _ORDER,
    ),
    Mutant(
        "done-twice",
        "an update that is done can be done again",
        _INBOX,
        '_inbox.update().where(_inbox.c.update_id == sa.bindparam("number"), _UNHANDLED)',
        '_inbox.update().where(_inbox.c.update_id == sa.bindparam("number"))',
        (*_ORDER, "tests/db/test_outbox_fencing.py"),
    ),
    Mutant(
        "handled-by-two",
        "what somebody else has handled meanwhile is committed a second time",
        _DISPATCHER,
        "            if not await inbox.done(db, stored_update.update_id):\n                raise _Handled",
        "            await inbox.done(db, stored_update.update_id)",
        _ORDER,
    ),
    Mutant(
        "never-done",
        "an update stays in the inbox after its handler, and is handled again at the next start",
        _DISPATCHER,
        "            if not await inbox.done(db, stored_update.update_id):\n                raise _Handled",
        "            pass",
        (*_ORDER, *_POINTS),
    ),
    Mutant(
        "put-aside-and-still-there",
        "an update with the dead letters waits in the inbox as well",
        _INBOX,
        '    await _DONE.many(db, [{"number": one.stored_update.update_id} for one in dead])\n',
        "",
        (*_ORDER, *_TRIES),
    ),
    Mutant(
        "forget-numbers-too-soon",
        "an update that Telegram repeats after an hour is handled again",
        _INBOX,
        "REMEMBER = timedelta(days=2)",
        "REMEMBER = timedelta(hours=1)",
        ("tests/updates/test_confirming.py",),
    ),
    Mutant(
        "one-queue-for-each-update",
        "two updates of one person are handled at the same time",
        _QUEUES,
        "owner = stored_update.user_id if stored_update.user_id is not None else -stored_update.update_id - 1",
        "owner = -stored_update.update_id - 1",
        _ORDER,
    ),
    Mutant(
        "away-means-lost",
        "an update that the database could not take is dropped",
        _QUEUES,
        "                await self._clock.sleep(pause)\n",
        "                return False\n",
        (*_TRIES, "tests/db/test_postgres_away.py", "tests/updates/test_order.py"),
    ),
    Mutant(
        "no-patience-with-the-database",
        "a tap that the database refused for a moment is put aside",
        _DISPATCHER,
        "                    await self.clock.sleep(PAUSES[attempt - 1])\n",
        "                    pass\n",
        _TRIES,
    ),
    Mutant(
        "one-try",
        "an update is put aside after its first failure",
        _DISPATCHER,
        "TRIES = 3",
        "TRIES = 1",
        _TRIES,
    ),
    Mutant(
        "what-was-stored-is-not-taken-up",
        "updates that a dead process stored wait for ever",
        _LEADERSHIP,
        "            self.queues.add(await inbox.waiting(db))\n",
        "            await inbox.waiting(db)\n",
        _POINTS,
    ),
    Mutant(
        "never-careful",
        "after an unclean end as many rows go at once as ever",
        _LEADERSHIP,
        'clean = await marks.find(db, "ended") != "running"',
        'clean = await marks.find(db, "ended") != "nothing"',
        ("tests/crash/test_after_an_unclean_end.py",),
    ),
    Mutant(
        "nobodys-words-are-kept",
        "a dead letter that is nobody's keeps what somebody wrote",
        _INBOX,
        "kept = shapes.of(body) if user_id is None else body",
        "kept = body",
        ("tests/db/test_dead_letters.py",),
    ),
    Mutant(
        "no-flood-gate",
        "one person may send without end",
        "bot/core/flood.py",
        "        return Manner.WARN if first else Manner.IGNORE",
        "        return Manner.WELCOME",
        ("tests/core/test_flood.py",),
    ),
    # -- what a tap does -----------------------------------------------------------------------------------------------
    Mutant(
        "a-contrary-press-rewrites",
        "a press on an old copy changes an answer without asking",
        "bot/core/tonight.py",
        "return TapEffect.NOTE if confirmed else TapEffect.ASK",
        "return TapEffect.NOTE",
        ("tests/core/test_tonight.py",),
    ),
    Mutant(
        "an-answer-becomes-missed",
        "the end of a night overwrites its answer",
        "db/nights.py",
        '"intake": sa.func.coalesce(_nights.c.intake, new.intake),',
        '"intake": sa.func.coalesce(new.intake, _nights.c.intake),',
        ("tests/db/test_looking_back.py",),
    ),
)
