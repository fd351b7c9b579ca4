"""The process itself: reaching Telegram, leading or standing by, being well, and ending.

`connect` waits until Telegram answers. `leadership` holds the lock that lets one of several processes poll and send.
`monitor` turns what it sees into health, and ends a process that is sick for good. `signals` listens for SIGTERM.

Start reading at `leadership`. May import: delivery, updates, telegram, db, core. `bot/app.py` puts these together.
"""
