"""The process itself: reaching Telegram, leading or standing by, being well, and ending.

`connect` waits until Telegram answers. `election` holds the lock that lets one of several processes lead; `leadership` is what
the leader then does. `monitor` turns what it sees into health, and ends a process that is sick for good. `signals` listens for
SIGTERM, `clock_guard` doubts the machine's clock.

Start reading at `leadership`. May import: delivery, updates, telegram, db, core. `bot/app.py` puts these together.
"""
