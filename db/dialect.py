"""Tells SQLite from PostgreSQL. No other module asks."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

_SQLITE = "sqlite"

Where = str | URL | Dialect | sa.Connection | AsyncConnection
"""What the database can be told from: a dialect or its name, an address, or an open transaction."""


def name_of(where: Where) -> str:
    """The name of its dialect, as SQLAlchemy has it."""
    if isinstance(where, str):
        return where
    if isinstance(where, URL):
        return where.get_backend_name()
    return (where if isinstance(where, Dialect) else where.dialect).name


def is_sqlite(where: Where) -> bool:
    """Whether it is a SQLite file: one process, one writer, small types. Else it is a PostgreSQL server."""
    return name_of(where) == _SQLITE
