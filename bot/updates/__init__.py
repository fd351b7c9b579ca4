"""Updates in: from Telegram to a handler, stored before they are confirmed, in order for each person.

`source` picks polling or webhook; `polling` asks Telegram, `webhook` and `web` are asked by it,
over `connections` that have an end. Both store raw updates in the
inbox. `queues` keeps one queue a person, `dispatcher` reads an update (`parsing`) and runs its handler in one transaction.
`unchanged_edits` spares edits that would change nothing.

Start reading at `dispatcher`. May import: telegram, views, texts, db, core. Nothing here knows what a command does.
"""
