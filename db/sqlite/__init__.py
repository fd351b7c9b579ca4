"""What is about SQLite alone. There is no rule of the product here.

`files` opens the file, takes its lock and keeps its log small; `disk` refuses network disks; `integrity` reads the file
through. `driver`, `prepared` and `shared_transactions` make a statement several times cheaper than the stock way; they lean on
private names of SQLAlchemy and aiosqlite, which contract tests in tests/db hold against each release.

Start reading at `driver`. May import: SQLAlchemy, aiosqlite and `config`; nothing of the tables.
"""
