"""Synthetic days written in the two forms that `replay` reads, so that tests need no recorded data."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tws.clock import NS_PER_S
from tws.simulator.grid import Grid, grid_of
from tws.simulator.market.base import MarketUpdate
from tws.simulator.market.replay import MS, SECONDS, TICKS
from tws.simulator.market.synthetic import SyntheticMarket
from tws.simulator.universe import Security

__all__ = ["write_csv"]

VENUES = ("P", "Q", "Z")


def write_csv(
    path: Path,
    security: Security,
    *,
    kind: Literal["1s", "ticks"],
    start_ns: int,
    seconds: int,
    seed: int = 7,
) -> Path:
    """Write `seconds` of the synthetic market of one security from `start_ns` on; .gz by the path's suffix.

    The file's name decides the symbol under which it is replayed: begin it with `security.symbol` and "-".
    """
    end_ns = start_ns + seconds * NS_PER_S
    market = SyntheticMarket([security], seed=seed, start_ns=start_ns, end_ns=end_ns)
    updates = market.take(end_ns)
    grid = grid_of(security.tick, security.lot)
    rows = _second_rows(updates, grid) if kind == "1s" else _tick_rows(updates, grid)
    with gzip.open(path, "wb") if path.suffix == ".gz" else path.open("wb") as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(SECONDS if kind == "1s" else TICKS)
        writer.writerows(rows)
        text.flush()
        text.detach()
    return path


def _second_rows(updates: list[MarketUpdate], grid: Grid) -> Iterator[list[str]]:
    for update in updates:
        time_ms = update.time_ns // NS_PER_S * 1000
        quote = [
            f"{grid.price(update.bid):.10g}",
            str(update.bid_size),
            f"{grid.price(update.ask):.10g}",
            str(update.ask_size),
        ]
        price = f"{update.trade:.10g}" if update.trade_size else ""
        volume = str(update.trade_size) if update.trade_size else ""
        yield [str(time_ms), price, price, price, price, volume, *quote]


def _tick_rows(updates: list[MarketUpdate], grid: Grid) -> Iterator[list[str]]:
    before: MarketUpdate | None = None
    for index, update in enumerate(updates):
        time_ms, venue = str(update.time_ns // MS), VENUES[index % len(VENUES)]
        if before is None or (before.bid, before.bid_size) != (update.bid, update.bid_size):
            yield [time_ms, "bid", f"{grid.price(update.bid):.10g}", str(update.bid_size), VENUES[0]]
        if before is None or (before.ask, before.ask_size) != (update.ask, update.ask_size):
            yield [time_ms, "ask", f"{grid.price(update.ask):.10g}", str(update.ask_size), VENUES[0]]
        if update.trade_size:
            yield [time_ms, "trade", f"{update.trade:.10g}", str(update.trade_size), venue]
        before = update
