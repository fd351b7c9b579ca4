"""How values are kept: civil nights and UTC instants small, lists of numbers as one parameter."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from db.dialect import is_sqlite

_EPOCH_DAY = date(1970, 1, 1).toordinal()


def _instant(value: int | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)


def _seconds(value: datetime | None) -> int | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"a naive datetime cannot be stored: {value!r}")
    return int(value.timestamp())


def _day(value: date | None) -> int | None:
    return None if value is None else value.toordinal() - _EPOCH_DAY


def _night(value: int | None) -> date | None:
    return None if value is None else date.fromordinal(_EPOCH_DAY + value)


class Utc(sa.types.TypeDecorator[datetime]):
    """An instant: refuses naive values, gives aware UTC back. Whole seconds in an integer on SQLite, else timestamptz."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if is_sqlite(dialect):
            return dialect.type_descriptor(sa.BigInteger())
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        seconds = _seconds(value)
        return seconds if value is None or is_sqlite(dialect) else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        # Directly, without the decorator's wrapper, because a reminder's rows have a dozen instants.
        return _seconds if is_sqlite(dialect) else super().bind_processor(dialect)

    def process_result_value(self, value: object, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if isinstance(value, datetime) else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return _instant if is_sqlite(dialect) else super().result_processor(dialect, coltype)


class Civil(sa.types.TypeDecorator[date]):
    """A night or another civil date: days since 1970 in an integer on SQLite, date elsewhere."""

    impl = sa.Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if is_sqlite(dialect):
            return dialect.type_descriptor(sa.Integer())
        return dialect.type_descriptor(sa.Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> object:
        return _day(value) if is_sqlite(dialect) else value

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _day if is_sqlite(dialect) else super().bind_processor(dialect)

    def process_result_value(self, value: object, dialect: Dialect) -> date | None:
        return value if isinstance(value, date) else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return _night if is_sqlite(dialect) else super().result_processor(dialect, coltype)


class Numbers(sa.types.TypeDecorator[Sequence[int]]):
    """Several whole numbers as one parameter, so that a statement stays the same for one and for a thousand."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if is_sqlite(dialect):
            return dialect.type_descriptor(sa.String())
        return dialect.type_descriptor(sa.ARRAY(sa.BigInteger()))

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> object:
        numbers = list(value or ())
        return json.dumps(numbers) if is_sqlite(dialect) else numbers


def among(column: sa.ColumnElement[Any], name: str, *, dialect: str) -> sa.ColumnElement[bool]:
    """Whether the column is one of the numbers of the parameter `name`."""
    several = sa.bindparam(name, type_=Numbers())
    if is_sqlite(dialect):
        return column.in_(sa.select(sa.func.json_each(several).table_valued("value").c.value))
    return column == sa.func.any(several)
