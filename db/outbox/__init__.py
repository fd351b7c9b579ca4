"""The outbox: one table, `outbox`, of messages owed to people, and everything that changes a row of it.

A row's life: owed, claimed by a worker for a while (a lease), started just before the socket, settled when Telegram has
answered, and at last closed into history. `rows` owes, claims, starts and settles; `due` is the one look a second that says
whether there is anything to do; `load` reads a row with its person; `leases` takes back what dead workers held; `changes` is
what people and settings do to rows; `history` closes rows and keeps the numbers.

Start reading at `rows`. May import: other modules of `db`, and `bot.core`. Every write repeats who holds the row.
"""
