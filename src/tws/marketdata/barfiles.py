"""Historical bars as Parquet files: one for each contract, kind of bar and day (UTC; for day bars, year).

    FOLDER/756733-SPY/10-secs-TRADES-rth/2026-11-23.parquet

A file says in its metadata whose bars it holds, and from and up to which instant it holds all that there are
(`from_ns`, `until_ns`): an empty one of a Sunday says that nothing traded. It is written beside its place,
brought to the medium, and renamed, so that a reader finds the old file or the new one whole; of two processes
that write at once the fuller file stays. A file that can't be read or holds something else (half written by a
copy, a stranger's) is named, put aside under `.unusable`, and counts as not there. Needs the extra `parquet`.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import pairwise
from math import isfinite
from pathlib import Path
from time import sleep
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from tws.clock import NS_PER_S, to_datetime, to_ns
from tws.errors import MissingExtraError
from tws.log import get_logger
from tws.model.contract import Contract
from tws.model.market import BAR_SECONDS, Bar
from tws.platform import lock_handle, sync_folder, sync_handle, unlock_handle

__all__ = ["BarFiles", "Held", "Series", "Slot", "Unusable", "slot_of"]

DAY_S = 86_400
_KEY = b"tws.bars"
_OLD_S = 3600
"""A leftover of a process that died while it wrote is removed after an hour: no writing takes as long."""
_LOCK_TRIES, _LOCK_AGAIN_S = 200, 0.02
"""Four seconds: a look and a renaming take milliseconds."""
_PRICES = ("open", "high", "low", "close", "volume")

log = get_logger("tws.marketdata")


class Series(Struct, frozen=True, kw_only=True):
    """One kind of bars of one contract, which carries its con_id. Bar sizes up to "1 day".

    Raises ValueError for a contract without con_id and for a bar size that is none of these.
    """

    contract: Contract
    bar_size: str = "1 min"
    what: str = "TRADES"
    use_rth: bool = True

    def __post_init__(self) -> None:
        if self.contract.con_id <= 0:
            raise ValueError(f"{self.contract.symbol} has no con_id: take the contract from its details")
        if not 0 < BAR_SECONDS.get(self.bar_size, 0) <= DAY_S:
            sizes = ", ".join(name for name, seconds in BAR_SECONDS.items() if seconds <= DAY_S)
            raise ValueError(f"bar_size {self.bar_size!r} is none of {sizes}")

    @property
    def seconds(self) -> int:
        """The length of a bar."""
        return BAR_SECONDS[self.bar_size]

    @property
    def folder(self) -> Path:
        """Where its files are, below the folder of all."""
        symbol = re.sub(r"[^A-Za-z0-9]+", "_", self.contract.symbol)
        hours = "rth" if self.use_rth else "all"
        kind = f"{self.bar_size}-{self.what}-{hours}".replace(" ", "-")
        return Path(f"{self.contract.con_id}-{symbol}", kind)


class Slot(NamedTuple):
    """The time of one file: its name, its first instant, and the first one after it."""

    name: str
    begin_ns: int
    end_ns: int


class Held(NamedTuple):
    """What a file holds: all bars that begin before `until_ns`, and not before `from_ns` (0: from the slot's
    begin on), oldest first.
    """

    bars: list[Bar]
    until_ns: int
    from_ns: int = 0


class Unusable(NamedTuple):
    """A file that was put aside, and why."""

    path: Path
    reason: str


class _Label(Struct, frozen=True, kw_only=True):
    """The metadata of a file."""

    con_id: int
    bar_size: str
    what: str
    use_rth: bool
    slot: str
    until_ns: int
    from_ns: int = 0
    version: int = 1


def slot_of(time_ns: int, seconds: int) -> Slot:
    """The file that a bar of so many seconds belongs to."""
    moment = to_datetime(time_ns)
    if seconds < DAY_S:
        begin_ns = time_ns - time_ns % (DAY_S * NS_PER_S)
        return Slot(f"{moment:%Y-%m-%d}", begin_ns, begin_ns + DAY_S * NS_PER_S)
    begin, end = (to_ns(datetime(moment.year + more, 1, 1, tzinfo=UTC)) for more in (0, 1))
    return Slot(f"{moment:%Y}", begin, end)


class BarFiles:
    """Reads and writes them; `unusable` names what was put aside. Raises MissingExtraError without pyarrow.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unusable: list[Unusable] = []
        self._arrow, self._parquet = _pyarrow()
        self._broken: type[Exception] = self._arrow.ArrowException

    def path(self, series: Series, slot: Slot) -> Path:
        return self.folder / series.folder / f"{slot.name}.parquet"

    def read(self, series: Series, slot: Slot) -> Held:
        """What is held of a slot; nothing up to its begin where there is no usable file."""
        path = self.path(series, slot)
        try:
            return self._bars_of(path.read_bytes(), series, slot)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, msgspec.MsgspecError, self._broken) as error:
            self._put_aside(path, f"{type(error).__name__}: {error}".splitlines()[0][:200])
        return Held([], slot.begin_ns)

    def write(self, series: Series, slot: Slot, held: Held) -> None:
        """Puts this in the place of what is there, unless that reaches as far both ways. Raises OSError."""
        path = self.path(series, slot)
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = self._bytes_of(series, slot, held)
        handle, name = tempfile.mkstemp(prefix=f"{slot.name}.", suffix=".tmp", dir=path.parent)
        unfinished = Path(name)
        try:
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(raw)
                    file.flush()
                    sync_handle(file.fileno())
                self._sweep(path.parent, unfinished.stat().st_mtime)
                with _alone_in(path.parent):
                    known = self.read(series, slot)
                    if known.until_ns < held.until_ns or known.from_ns > held.from_ns:
                        unfinished.replace(path)
                        sync_folder(path.parent)
            finally:
                unfinished.unlink(missing_ok=True)
        except PermissionError as error:
            # Windows lets nobody replace a file that another process just reads: what we hold is in memory,
            # and the next writing will come.
            log.info("bars not stored", file=str(path), reason=str(error))

    def _bars_of(self, raw: bytes, series: Series, slot: Slot) -> Held:
        file = self._parquet.ParquetFile(io.BytesIO(raw), page_checksum_verification=True)
        metadata = file.schema_arrow.metadata or {}
        if _KEY not in metadata:
            raise ValueError("not one of our files: it has no label")
        label = msgspec.json.decode(metadata[_KEY], type=_Label)
        if label != self._label(series, slot, label):
            raise ValueError(f"it holds other bars: {label}")
        begin_ns = max(slot.begin_ns, label.from_ns)
        if not begin_ns <= label.until_ns <= slot.end_ns:
            raise ValueError("it ends outside of its time")
        columns = file.read().to_pydict()
        rows = zip(*(columns[name] for name in ("time_ns", *_PRICES, "wap", "count", "date")), strict=True)
        bars = [
            Bar(time_ns=at, seconds=series.seconds, open=begin, high=high, low=low, close=close,
                volume=volume, wap=wap, count=count, date=date)
            for at, begin, high, low, close, volume, wap, count, date in rows
        ]  # fmt: skip
        if any(before.time_ns >= after.time_ns for before, after in pairwise(bars)) or (
            bars and not begin_ns <= bars[0].time_ns <= bars[-1].time_ns < label.until_ns
        ):
            raise ValueError("its bars are out of order or outside of its time")
        if not all(isfinite(number) for name in _PRICES for number in columns[name]):
            raise ValueError("it holds a price that is no number")
        return Held(bars, label.until_ns, label.from_ns)

    def _bytes_of(self, series: Series, slot: Slot, held: Held) -> bytes:
        arrow = self._arrow
        kinds = {"time_ns": arrow.int64(), **dict.fromkeys((*_PRICES, "wap"), arrow.float64()),
                 "count": arrow.int64(), "date": arrow.string()}  # fmt: skip
        label = msgspec.json.encode(self._label(series, slot, held))
        fields = [arrow.field(name, kind, nullable=name == "wap") for name, kind in kinds.items()]
        columns = [
            arrow.array([getattr(bar, name) for bar in held.bars], kind) for name, kind in kinds.items()
        ]
        table = arrow.table(columns, schema=arrow.schema(fields, metadata={_KEY: label}))
        buffer = io.BytesIO()
        self._parquet.write_table(table, buffer, compression="zstd", write_page_checksum=True)
        return buffer.getvalue()

    def _label(self, series: Series, slot: Slot, held: Held | _Label) -> _Label:
        return _Label(con_id=series.contract.con_id, bar_size=series.bar_size, what=series.what,
                      use_rth=series.use_rth, slot=slot.name, until_ns=held.until_ns, from_ns=held.from_ns)

    def _put_aside(self, path: Path, reason: str) -> None:
        log.warning("file of bars not usable", file=str(path), reason=reason)
        self.unusable.append(Unusable(path, reason))
        try:
            path.replace(path.with_suffix(".unusable"))
        except OSError:
            return  # it stays, and is replaced by the next writing

    def _sweep(self, folder: Path, now_s: float) -> None:
        """Removes what processes that died have left behind."""
        for leftover in folder.glob("*.tmp"):
            try:
                if leftover.stat().st_mtime < now_s - _OLD_S:
                    leftover.unlink()
            except OSError:
                continue  # somebody else's, or gone


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder between a look at a file and its replacement. A process that has it for
    longer hangs: then the worst is that a fuller file gives way to ours, and is fetched again.
    """
    with (folder / ".lock").open("ab") as file:
        for _ in range(_LOCK_TRIES):
            if lock_handle(file.fileno()):
                break
            sleep(_LOCK_AGAIN_S)
        try:
            yield
        finally:
            with suppress(OSError):
                unlock_handle(file.fileno())


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("the cache of historical bars", "parquet") from error
    return pyarrow, pyarrow.parquet
