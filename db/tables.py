"""Every table and index. Civil nights and UTC instants are stored small, and come back as what they are."""

from __future__ import annotations

import sqlalchemy as sa

from db.types import Civil, Utc

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

users = sa.Table(
    "users",
    metadata,
    # Telegram ids have up to 52 bits.
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("seen_at", Utc, nullable=False),
    sa.Column("consent", sa.SmallInteger),  # the version of the safety text that was accepted
    sa.Column("language", sa.String(16)),
    sa.Column("zone", sa.String(64)),
    sa.Column("bedtimes", sa.String(40)),  # minutes after midnight: one, or seven from Monday's night on
    sa.Column("lead", sa.SmallInteger),
    sa.Column("check_ins", sa.String(40)),  # as bedtimes; none: bedtime + 9 h
    sa.Column("form", sa.String(32)),
    sa.Column("label", sa.String(64)),
    sa.Column("remind_at", Utc),  # the next reminder
    sa.Column("remind_night", Civil),
    sa.Column("owe_at", Utc),  # when what comes before it is to be owed, if anything does
    sa.Column("reminded_at", Utc),  # the last reminder's planned instant, for the rest between two
    sa.Column("reminded_night", Civil),
    sa.Column("away_zone", sa.String(64)),
    sa.Column("away_until", Civil),
    sa.Column("later_night", Civil),
    sa.Column("later_bedtime", sa.SmallInteger),
    sa.Column("paused_until", Civil),
    sa.Column("awaiting", sa.String(12)),
    sa.Column("awaiting_for", sa.String(32)),
    sa.Column("awaiting_until", Utc),
    sa.Column("cadence", sa.String(8)),
    sa.Column("unanswered", sa.SmallInteger),
    sa.Column("nudges", sa.SmallInteger),
    sa.Column("snooze", sa.SmallInteger),
    sa.Column("quiet", sa.Boolean),
    sa.Column("discreet", sa.Boolean),
    sa.Column("no_check_in", sa.Boolean),
    sa.Column("no_news", sa.Boolean),  # no announcements of the operator's
    sa.Column("muted", sa.String(255)),
    sa.Column("exported_at", Utc),
    sa.Column("warned_at", Utc),  # told that a long silence ends in erasure
    sa.Column("detail", sa.SmallInteger),  # how much the morning asks: 0 the tap, 1 two more questions, 2 a sleep diary
    sa.Column("ask_evening", sa.Boolean),
    sa.Column("light", sa.Boolean),  # pictures on a light ground
    sa.Column("no_digest", sa.Boolean),
    sa.Column("stock", sa.SmallInteger),  # evenings' worth that were there before the night stock_from
    sa.Column("stock_from", Civil),
    sa.Column("stock_told", sa.Boolean),
    sa.Column("pack", sa.SmallInteger),
    sa.Index(
        None,
        "remind_at",
        postgresql_where=sa.text("remind_at IS NOT NULL"),
        sqlite_where=sa.text("remind_at IS NOT NULL"),
    ),
    sa.Index(
        None,
        "owe_at",
        postgresql_where=sa.text("owe_at IS NOT NULL"),
        sqlite_where=sa.text("owe_at IS NOT NULL"),
    ),
)

nights = sa.Table(
    "nights",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("night", Civil, primary_key=True),
    sa.Column("reminder", sa.SmallInteger),  # what became of the reminder, once the night is closed
    sa.Column("intake", sa.SmallInteger),
    sa.Column("intake_at", Utc),
    sa.Column("reason", sa.String(8)),
    sa.Column("rating", sa.SmallInteger),
    sa.Column("rated_at", Utc),
    sa.Column("late", sa.Boolean),  # rated after the next evening's reminder
    sa.Column("tip", sa.Integer),  # the tip that its reminder carried, by core.tips.number
    # A million people's nights: without a row id SQLite keeps one tree instead of two.
    sqlite_with_rowid=False,
)

night_details = sa.Table(
    "night_details",
    metadata,
    # What only few nights have is in a table of its own. Times of day are minutes after midnight.
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("night", Civil, primary_key=True),
    sa.Column("note", sa.String(500)),
    sa.Column("evening", sa.SmallInteger),  # bits of core.diary.Evening; 0: none of these, as the person said
    sa.Column("onset", sa.SmallInteger),  # minutes to fall asleep, as one of five steps
    sa.Column("rested", sa.SmallInteger),
    sa.Column("in_bed", sa.SmallInteger),
    sa.Column("tried", sa.SmallInteger),
    sa.Column("latency", sa.SmallInteger),
    sa.Column("awakenings", sa.SmallInteger),
    sa.Column("awake", sa.SmallInteger),
    sa.Column("woke", sa.SmallInteger),
    sa.Column("rose", sa.SmallInteger),
    sa.Column("quality", sa.SmallInteger),
    sa.Column("late", sa.Boolean),  # some of it was said after the next evening's reminder
    sqlite_with_rowid=False,
)

pictures = sa.Table(
    "pictures",
    metadata,
    # What Telegram already has: the same picture is sent again by its file id.
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("mark", sa.String(64), nullable=False),
    sa.Column("file_id", sa.String(255), nullable=False),
    sqlite_with_rowid=False,
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("night", Civil, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("planned_at", Utc, nullable=False),  # its moment; lateness is counted from here
    sa.Column("due_at", Utc, nullable=False),  # the next try
    sa.Column("until_at", Utc, nullable=False),  # from here on it is not sent any more
    sa.Column("bed_at", Utc, nullable=False),
    sa.Column("close_at", Utc, nullable=False),  # from here on it is history
    sa.Column("copies", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("worker", sa.String(16)),
    sa.Column("lease_until", Utc),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("sent_at", Utc),
    sa.Column("reason", sa.String(120)),
    sa.Column("tip", sa.Integer),  # that a reminder carried, or that is taken back, by core.tips.number
    # One message of a kind for a person's night: the promise is this key.
    sa.UniqueConstraint("user_id", "kind", "night"),
    sa.Index(
        "ix_outbox_due", "due_at", postgresql_where=sa.text("state = 'due'"), sqlite_where=sa.text("state = 'due'")
    ),
    sa.Index(
        "ix_outbox_lease",
        "lease_until",
        postgresql_where=sa.text("lease_until IS NOT NULL"),
        sqlite_where=sa.text("lease_until IS NOT NULL"),
    ),
    sa.Index("ix_outbox_close", "close_at"),
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("update_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger),
    sa.Column("received_at", Utc, nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    # Emptied when the update was handled; the bare number stays for two days, so that a repeated delivery is known.
    sa.Column("body", sa.Text),
    sa.Index(
        "ix_inbox_waiting",
        "update_id",
        postgresql_where=sa.text("body IS NOT NULL"),
        sqlite_where=sa.text("body IS NOT NULL"),
    ),
)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("update_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger),
    sa.Column("at", Utc, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

retired_tips = sa.Table(
    "retired_tips",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("tip", sa.String(32), primary_key=True),
    sqlite_with_rowid=False,
)

experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("start", Civil, nullable=False),
    sa.Column("length", sa.SmallInteger, nullable=False),
    sa.Column("seed", sa.LargeBinary(32), nullable=False),
    sa.Column("shifts", sa.String(500), nullable=False, server_default=""),  # "2026-12-24+2", commas between
    sa.Column("blind", sa.Boolean, nullable=False),
    sa.Column("bags_code", sa.String(32)),  # opens the helper's list once, and is forgotten then
    sa.Column("begun_at", Utc, nullable=False),
    sa.Column("paused_since", Civil),  # a pause without a known end
    sa.Column("stopped_after", Civil),
    sa.Column("look_at", Utc),  # when to look next whether it is over; none once it is
    sa.Column("ended_at", Utc),
    sa.Column("report", sa.Text),  # JSON of core.experiment.report: nights and verdict as they stood at the end
    sa.Column("design", sa.String(8), nullable=False, server_default=sa.text("'nightly'")),
    sa.Column("bots_seed", sa.LargeBinary(32)),  # none in a test of the first version
    sa.Column("word", sa.String(60)),
    sa.Column("word_drawn", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("looks", sa.SmallInteger, nullable=False, server_default="0"),  # whole fortnights at the last look
    sa.Column("over_after", Civil),  # over after this night, and waiting for the guess
    sa.Column("guess", sa.String(12)),  # a letter a week
    sa.Column("packed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(
        "ix_experiments_open",
        "user_id",
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    ),
    sa.Index("ix_experiments_user_id", "user_id"),
    sa.Index("ix_experiments_bags_code", "bags_code"),
    sa.Index(
        "ix_experiments_look_at",
        "look_at",
        postgresql_where=sa.text("look_at IS NOT NULL"),
        sqlite_where=sa.text("look_at IS NOT NULL"),
    ),
)

experiment_nights = sa.Table(
    "experiment_nights",
    metadata,
    # What only a self-experiment needs to know of a night.
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("night", Civil, primary_key=True),
    sa.Column("revealed_at", Utc),
    sa.Column("void", sa.String(12)),
    sa.Column("rating", sa.SmallInteger),  # the answer given in time, once a late one has taken its place
    sqlite_with_rowid=False,
)

experiment_drafts = sa.Table(
    "experiment_drafts",
    metadata,
    # The bot's half of a seed whose fingerprint was shown, while it waits for the person's word.
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("bots_seed", sa.LargeBinary(32), nullable=False),
    sa.Column("length", sa.SmallInteger, nullable=False),
    sa.Column("design", sa.String(8), nullable=False),
    sa.Column("blind", sa.Boolean, nullable=False),
)

imports = sa.Table(
    "imports",
    metadata,
    # Nights that were read from a file and wait for a yes.
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("nights", sa.Text, nullable=False),
)

erasures = sa.Table(
    "erasures",
    metadata,
    # Who was erased, as a keyed hash, so that a restored backup can be put right. The key is the mark "erase_key".
    sa.Column("who", sa.String(64), primary_key=True),
    sa.Column("erased_on", Civil, primary_key=True),
)

marks = sa.Table(
    "marks",
    metadata,
    # Small facts about the installation: the tzdata version planned with, whether the last process ended cleanly.
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")

broadcasts = sa.Table(
    "broadcasts",
    metadata,
    sa.Column("id", _SERIAL, primary_key=True),
    sa.Column("admin_id", sa.BigInteger, nullable=False),
    sa.Column("message_id", sa.BigInteger, nullable=False),  # in the admin's chat; copied from there
    sa.Column("phase", sa.String(10), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
    sa.Column("language", sa.String(16)),
    sa.Column("awake_only", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("total", sa.Integer, nullable=False, server_default="0"),
    sa.Column("fed_to", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("fed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("panel_id", sa.BigInteger),
    sa.Column("active", sa.Boolean),
    sa.Column("report", sa.Text),  # JSON: what became of the copies, once the recipients are forgotten
    # At most one may be active, because NULLs do not count as equal.
    sa.UniqueConstraint("active"),
)

recipients = sa.Table(
    "recipients",
    metadata,
    sa.Column("broadcast_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("fate", sa.String(10), nullable=False),
    sa.Column("due_at", Utc, nullable=False),
    sa.Column("reason", sa.String(80)),
    sa.Index(
        "ix_recipients_due",
        "broadcast_id",
        "due_at",
        postgresql_where=sa.text("fate = 'pending'"),
        sqlite_where=sa.text("fate = 'pending'"),
    ),
    sqlite_with_rowid=False,
)

admins = sa.Table(
    "admins",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("since", Utc, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", _SERIAL, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("admin_id", sa.BigInteger, nullable=False),
    sa.Column("action", sa.String(200), nullable=False),
)
