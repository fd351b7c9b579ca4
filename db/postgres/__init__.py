"""What is about PostgreSQL alone. There is no rule of the product here.

`advisory_locks` says which of several processes leads and which have died; `dumps` calls pg_dump and pg_restore.

Start reading at `advisory_locks`. May import: other modules of `db`. What both databases do in the same way stands one
folder up; which database it is, is asked of `db.engine.Database` alone.
"""
