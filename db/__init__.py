"""The database, SQLite or PostgreSQL: tables, and functions that read and write them. Nobody else speaks SQL.

`tables` and `types` say what is kept, `migrations/` how it came to be, `engine` opens the database and its transactions.
One module a subject: `users`, `nights`, `diary`, `experiments`, `broadcasts`, `inbox`, … `outbox/` is the table of messages
owed. `sqlite/` and `postgres/` hold what is about one of the two. `personal_data` and `erase` know every table with a person.

Start reading at `tables`, then `outbox/rows`. May import: `bot.core`, `config`, and nothing else of `bot`.
"""
