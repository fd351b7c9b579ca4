"""Prepared statements for every press and reminder: compiled once, and on SQLite run directly on the connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase

from db.dialect import name_of
from db.engine import Connection
from db.sqlite import driver

Values = Mapping[str, object]
ValueRow = dict[str, Any]
Statement = sa.Select[*tuple[Any, ...]] | UpdateBase
_Convert = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in one database's words: what to bind in which place, and what to make of what comes back."""

    sql: str
    binds: tuple[tuple[str | None, _Convert, object], ...]  # name (None: a constant), how to store it, the constant
    names: tuple[str, ...]
    converts: tuple[tuple[int, Callable[[Any], Any]], ...]

    def bound(self, values: Values) -> tuple[object, ...]:
        return tuple(
            [
                constant if name is None else values[name] if convert is None else convert(values[name])
                for name, convert, constant in self.binds
            ]
        )

    def row(self, found: Sequence[object]) -> ValueRow:
        row = dict(zip(self.names, found, strict=True))
        for place, convert in self.converts:
            row[self.names[place]] = convert(found[place])
        return row


class Prepared:
    """A statement whose parameters are all named by `bindparam`, or are constants. `build` gives it for a dialect's name.

    SQLAlchemy's way from a statement to SQLite and back costs some twenty times what SQLite needs to find a row by its
    key. Here the statement is compiled by SQLAlchemy once, with its types, and then run on the connection itself: on the
    event loop where the transaction is `quick`, else in the connection's thread. PostgreSQL is a network away: there it
    goes SQLAlchemy's way. A list of values inside a statement (`in_`) is refused.
    """

    def __init__(self, build: Callable[[str], Statement]) -> None:
        self._build = build
        self._built: dict[str, Statement] = {}
        self._compiled: _Compiled | None = None

    async def first(self, db: Connection, values: Values) -> ValueRow | None:
        """The first row, by the names of its columns; None where there is none."""
        rows = await self.rows(db, values)
        return rows[0] if rows else None

    async def rows(self, db: Connection, values: Values) -> list[ValueRow]:
        """Every row, by the names of its columns."""
        straight = driver.of(db)
        if straight is None:
            return [dict(row) for row in (await db.execute(self._statement(db), dict(values))).mappings()]
        ready = self._ready(db.dialect)
        bound = ready.bound(values)
        found = await straight.straight(lambda raw: raw.execute(ready.sql, bound).fetchall())
        return [ready.row(row) for row in found]

    async def run(self, db: Connection, values: Values) -> int:
        """Run a change. Returns how many rows were changed."""
        straight = driver.of(db)
        if straight is None:
            return (await db.execute(self._statement(db), dict(values))).rowcount
        ready = self._ready(db.dialect)
        bound = ready.bound(values)
        return await straight.straight(lambda raw: raw.execute(ready.sql, bound).rowcount)

    async def many(self, db: Connection, several: Iterable[Values]) -> None:
        """Run a change for each of these values."""
        straight = driver.of(db)
        if straight is None:
            if given := [dict(values) for values in several]:
                await db.execute(self._statement(db), given)
            return
        ready = self._ready(db.dialect)
        bound = [ready.bound(values) for values in several]
        if bound:
            await straight.straight(lambda raw: raw.executemany(ready.sql, bound))

    async def each(self, db: Connection, several: Iterable[Values]) -> list[ValueRow]:
        """Run it for each of these values. Returns all rows together."""
        straight = driver.of(db)
        if straight is None:
            given = [dict(values) for values in several]
            return [dict(row) for row in (await db.execute(self._statement(db), given)).mappings()] if given else []
        ready = self._ready(db.dialect)
        bound = [ready.bound(values) for values in several]
        found = await straight.straight(
            lambda raw: [row for one in bound for row in raw.execute(ready.sql, one).fetchall()]
        )
        return [ready.row(row) for row in found]

    def _statement(self, db: Connection) -> Statement:
        name = name_of(db)
        if name not in self._built:
            self._built[name] = self._build(name)
        return self._built[name]

    def _ready(self, dialect: Dialect) -> _Compiled:
        if self._compiled is None:
            self._compiled = _compile(self._build(name_of(dialect)), dialect)
        return self._compiled


def _compile(statement: Statement, dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - everything but DDL is
    if compiled.post_compile_params:
        raise ValueError("a list inside a statement changes with its length, so it cannot be prepared")
    binds: list[tuple[str | None, _Convert, object]] = []
    for name in compiled.positiontup or ():
        bind = compiled.binds[name]
        convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
        constant = None if bind.required else bind.effective_value
        if convert is not None and not bind.required:
            constant = convert(constant)
        binds.append((name if bind.required else None, convert, constant))
    names: list[str] = []
    converts: list[tuple[int, Callable[[Any], Any]]] = []
    for place, column in enumerate(_columns(statement)):
        names.append(str(column.key))
        convert = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if convert is not None:
            converts.append((place, convert))
    return _Compiled(str(compiled), tuple(binds), tuple(names), tuple(converts))


def _columns(statement: Statement) -> Sequence[sa.ColumnElement[Any]]:
    """The columns that it returns: none for a change without RETURNING."""
    return list(statement.exported_columns)
