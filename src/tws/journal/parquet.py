"""A journal as Parquet tables, one file for each kind of record, for analysis in whatever reads Parquet.

The columns come from the record's own fields: values inside values are laid flat (`contract_symbol`,
`execution_price`), an instant is a UTC timestamp of nanoseconds, a number of money or shares an exact
decimal, a list of words a list; what fits none of these is JSON text. Each row has its number in the
journal (`row`), each file the journal's head in its metadata, and every kind has its file, an empty one too.

Two passes, so that memory stays small: the first proves all rows and finds how many digits each
decimal column needs, the second writes. Needs the extra `parquet`.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tws.errors import ConfigError, MissingExtraError
from tws.journal.chain import Chain, Head, read_journal
from tws.model.records import Record, decode_record

__all__ = ["Export", "Written", "export_journal"]

_BATCH = 10_000  # rows of one kind that wait in memory; also the size of a row group


class Written(NamedTuple):
    """One file and how many rows it has."""

    path: Path
    rows: int


class Export(NamedTuple):
    """What was written, and the head of the journal that it was written from."""

    files: list[Written]
    records: int
    head: Head


class _Column(NamedTuple):
    """A column: the way to its value through a record, and what kind of value that is."""

    name: str
    path: tuple[str, ...]
    kind: str


class _Digits(msgspec.Struct):
    """What a column of decimals needs: digits before and behind the point; `odd` holds NaN or infinity."""

    before: int = 1
    behind: int = 0
    odd: bool = False

    def see(self, value: Decimal) -> None:
        _, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            self.odd = True
            return
        self.behind = max(self.behind, -exponent)
        self.before = max(self.before, len(digits) + exponent)


def export_journal(journal: Path, folder: Path) -> Export:
    """Write every record of `journal` into `folder`, which is made when it is not there.

    Raises MissingExtraError without pyarrow, ConfigError for a folder that can't be written, JournalError and
    DataError for a journal that is not whole; then no file is replaced.
    """
    arrow, parquet = _pyarrow()
    columns = {kind: list(_columns(kind)) for kind in typing.get_args(Record)}
    digits, records, head = _survey(journal, columns)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tables = {
            kind: _Table(
                arrow, parquet, folder / f"{kind.__name__.lower()}.parquet", own, digits[kind], str(head)
            )
            for kind, own in columns.items()
        }
        try:
            rows = islice(read_journal(journal), records)  # its trader may have written more meanwhile
            for number, payload in enumerate(rows, 1):
                record = decode_record(payload, number)
                tables[type(record)].add(number, record)
            files = [table.finish() for table in tables.values()]
        except BaseException:
            for table in tables.values():
                table.drop()
            raise
    except OSError as error:
        cure = "Name a folder on a disk with space that you may write to"
        raise ConfigError("out", str(folder), f"can't be written ({error})", cure) from error
    return Export(files, records, head)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("the export to Parquet", "parquet") from error
    return pyarrow, pyarrow.parquet


def _survey(
    journal: Path, columns: dict[type, list[_Column]]
) -> tuple[dict[type, dict[str, _Digits]], int, Head]:
    """The first pass: what each column of decimals needs, how many records there are, and their head."""
    digits = {kind: {each.name: _Digits() for each in own if each.kind == "decimal"}
              for kind, own in columns.items()}  # fmt: skip
    decimals = {kind: [each for each in own if each.kind == "decimal"] for kind, own in columns.items()}
    chain = Chain(journal)
    number = 0
    for page in chain.pages():
        for payload in page:
            number += 1
            record = decode_record(payload, number)
            for column in decimals[type(record)]:
                value = _value(record, column.path)
                if value is not None:
                    digits[type(record)][column.name].see(value)
    return digits, number, chain.head


class _Table:
    """One file under way: written under another name, and renamed when it is whole."""

    def __init__(
        self,
        arrow: Any,
        parquet: Any,
        path: Path,
        columns: list[_Column],
        digits: dict[str, _Digits],
        head: str,
    ) -> None:
        self._arrow = arrow
        self.path = path
        self._unfinished = path.with_name(f"{path.name}.tmp")
        self._columns = columns
        fields = [(column.name, _arrow_type(arrow, column, digits.get(column.name))) for column in columns]
        self._schema = arrow.schema([("row", arrow.int64()), *fields], metadata={"tws.journal.head": head})
        self._texts = {name for name, kind in fields if arrow.types.is_string(kind)}
        self._rows: list[dict[str, Any]] = []
        self._count = 0
        self._writer = parquet.ParquetWriter(self._unfinished, self._schema)

    def add(self, number: int, record: Record) -> None:
        """One record, and its number in the journal."""
        row: dict[str, Any] = {"row": number}
        for column in self._columns:
            value = _value(record, column.path)
            row[column.name] = _as_text(value) if column.name in self._texts else _plain(value)
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self._flush()

    def finish(self) -> Written:
        """All that waits into the file, and the file to its name."""
        self._flush()
        self._writer.close()
        self._unfinished.replace(self.path)
        return Written(self.path, self._count)

    def drop(self) -> None:
        """Leave nothing behind."""
        self._writer.close()
        self._unfinished.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._schema))
        self._count += len(self._rows)
        self._rows = []


def _columns(kind: type, prefix: str = "", path: tuple[str, ...] = ()) -> Iterator[_Column]:
    """The columns of a record's class, values inside it laid flat."""
    for name, hint in typing.get_type_hints(kind).items():
        inner = _without_none(hint)
        here, way = f"{prefix}{name}", (*path, name)
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from _columns(inner, f"{here}_", way)
        elif inner is int and name.endswith("_ns"):
            yield _Column(here.removesuffix("_ns"), way, "instant")
        else:
            yield _Column(here, way, _kind(inner))


def _without_none(hint: Any) -> Any:
    """`X` of `X | None`."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [each for each in typing.get_args(hint) if each is not type(None)]
        return rest[0] if len(rest) == 1 else hint
    return hint


def _kind(hint: Any) -> str:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "text"
    if hint == tuple[str, ...]:
        return "texts"
    return {int: "whole", str: "text", bool: "yes or no", float: "float", Decimal: "decimal"}.get(
        hint, "json"
    )


def _arrow_type(arrow: Any, column: _Column, digits: _Digits | None) -> Any:
    if digits is not None:
        return _decimal_type(arrow, digits)
    makers: dict[str, Callable[[], Any]] = {
        "whole": arrow.int64, "text": arrow.string, "json": arrow.string, "yes or no": arrow.bool_,
        "float": arrow.float64, "instant": lambda: arrow.timestamp("ns", tz="UTC"),
        "texts": lambda: arrow.list_(arrow.string()),
    }  # fmt: skip
    return makers[column.kind]()


def _decimal_type(arrow: Any, digits: _Digits) -> Any:
    """The narrowest that holds every value exactly; text when none does (76 digits, NaN)."""
    if digits.odd or digits.before + digits.behind > 76:
        return arrow.string()
    wide = digits.before + digits.behind > 38
    return arrow.decimal256(76, digits.behind) if wide else arrow.decimal128(38, digits.behind)


def _value(record: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if record is None:
            return None
        record = getattr(record, name)
    return record


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _as_text(value: Any) -> str | None:
    """A word as it is, a number without an exponent, anything else as JSON."""
    if value is None:
        return None
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
