"""Messages out: what is owed is claimed, rendered, sent and settled, once.

`reminders` sweeps what is due every second; `broadcast` copies an admin's message to many, and `broadcast_progress` shows how
far it is. `renderer` turns a row into a view, `settlement` decides what an outcome means for the row, `weekly_digest` adds the
picture of Sunday's message.

Start reading at `reminders`. May import: telegram, views, charts, db, texts, core. The promise is in docs/reliability.md.
"""
