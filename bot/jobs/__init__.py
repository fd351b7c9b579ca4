"""What runs by the clock and speaks to nobody in particular.

`backup` copies the database, `integrity_check` reads a SQLite file through, `finish_experiments` ends tests that are over,
`erase_dormant` parts from people long silent, `tzdata_update` plans every future moment anew under new zone rules,
`error_digest` tells admins what went wrong.

Start reading at `backup`. A job never raises: the next look comes. `bot/app.py` schedules them; it is the only place that
does. May import: telegram, views, texts, db, core. A new job is a module here and a line in `bot/app.py`.
"""
