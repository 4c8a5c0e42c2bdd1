"""Bad weather inside TWS, by lot: which faults of the simulator are played in a run, when, and how.

Every fault of the registry is in the lot. `FIELDS` says how the fields of a fault are drawn, as a run of a
minute needs them; a fault that is not in it has its defaults. A quarter of the plays waits for an event
instead of a moment, so that a cut falls between an order and the first word of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple

from tws.simulator.faults.base import REGISTRY

__all__ = ["Play", "Scenery", "draw_options", "draw_storm"]

FEW, MANY = 4, 24
"""Plays in a run: a minute with a fault at a time, and one in which they pile up."""
EVENTS = (
    "connect",
    "order placed",
    "fill",
    "cancel",
    "request:PlaceOrderRequest",
    "request:CancelOrderRequest",
    "request:MarketDataRequest",
    "request:ExecutionRequest",
    "message:3",
    "message:5",
    "message:11",
    "message:53",
)
MET = ("cut", "connectivity-lost", "mute", "half-open", "malformed-frame", "restart", "ids-rolled-back")
"""What is worst at a certain moment, and so is what most often waits for one."""
OUTAGES = ("connectivity-lost", "nightly-reset")
ASKED = (
    "AccountDataRequest",
    "AccountSummaryRequest",
    "AllOpenOrdersRequest",
    "CancelAccountSummary",
    "CancelHistoricalData",
    "CancelMarketData",
    "CancelOrderRequest",
    "CancelTickByTick",
    "CompletedOrdersRequest",
    "ContractDataRequest",
    "CurrentTimeRequest",
    "ExecutionRequest",
    "HistoricalDataRequest",
    "IdsRequest",
    "MarketDataRequest",
    "PlaceOrderRequest",
    "PnLRequest",
    "PositionsRequest",
    "RealTimeBarsRequest",
    "TickByTickRequest",
)
"""What can be swallowed: requests that a program and the connection itself make."""
REFUSED = (
    ("PlaceOrderRequest", 201, "Order rejected - reason:We cannot accept this order now."),
    ("PlaceOrderRequest", 460, "No trading permissions."),
    ("CancelOrderRequest", 10147, "OrderId {id} that needs to be cancelled is not found."),
    ("MarketDataRequest", 354, "Requested market data is not subscribed."),
    ("MarketDataRequest", 200, "No security definition has been found for the request"),
    ("ContractDataRequest", 200, "No security definition has been found for the request"),
    ("HistoricalDataRequest", 366, "No historical data query found for ticker id:{id}"),
    ("TickByTickRequest", 10189, "Failed to request tick-by-tick data.BidAsk tick-by-tick data unavailable."),
    ("RealTimeBarsRequest", 354, "Requested market data is not subscribed."),
    ("AllOpenOrdersRequest", 322, "Error processing request.-'bX' : cause - busy"),
    ("ExecutionRequest", 322, "Error processing request.-'bX' : cause - busy"),
)
SPOILT = (0, 0, 3, 5, 9, 10, 11, 15, 17, 49, 52, 53, 55, 59, 61, 62, 101, 102)
SPOILS = (
    "extra-field",
    "missing-field",
    "bad-number",
    "unknown-message",
    "empty",
    "truncated",
    "garbage-length",
)


VERSIONS = (176, 200, 225)
"""Text as most clients speak it, the last of text, and protobuf."""


OUT = {
    "exercise-rejected": "nobody here exercises an option; tests/simulator plays it",
    "read-only": "a TWS that takes no orders tells nothing of orders; tests/simulator plays it",
}
"""Faults that are not in the lot, and why."""


class Play(NamedTuple):
    """One fault, and when it is entered, in seconds of the run."""

    at_s: float
    name: str
    values: dict[str, Any]


def _span(rng: Random, low: float, high: float) -> str:
    return f"{rng.uniform(low, high):.1f}s"


def _lasts(low: float, high: float) -> Callable[[Random, Scenery], dict[str, Any]]:
    return lambda rng, scenery: {"lasts": _span(rng, low, high)}


class Scenery(NamedTuple):
    """What faults can name: the symbols of the market, the ports of the house; and which are in the lot."""

    symbols: tuple[str, ...]
    free_port: int
    names: tuple[str, ...] = tuple(name for name in sorted(REGISTRY) if name not in OUT)
    plays: tuple[int, int] = (FEW, MANY)


def _symbol(rng: Random, scenery: Scenery) -> dict[str, Any]:
    return {"symbol": rng.choice(scenery.symbols)}


def _swallow(rng: Random, scenery: Scenery) -> dict[str, Any]:
    return {"request": rng.choice(ASKED), "count": rng.randint(1, 3)}


def _refuse(rng: Random, scenery: Scenery) -> dict[str, Any]:
    request, code, text = rng.choice(REFUSED)
    return {"request": request, "code": code, "text": text, "count": rng.randint(1, 2)}


def _quote(rng: Random, scenery: Scenery) -> dict[str, Any]:
    bid = round(rng.uniform(20, 400), 2)
    return {**_symbol(rng, scenery), "bid": bid, "ask": round(bid + 0.02, 2)}


FIELDS: Mapping[str, Callable[[Random, Scenery], dict[str, Any]]] = {
    "accept-dialog": _lasts(2, 25),
    "answer-error": _refuse,
    "bad-equity": lambda rng, scenery: {"count": rng.randint(1, 3)},
    "bad-position": lambda rng, scenery: {"by": rng.choice((-100, 7, 100)), "count": rng.randint(1, 2)},
    "clock-skew": lambda rng, scenery: {"by": f"{rng.uniform(-120, 120):.1f}s", "lasts": _span(rng, 2, 40)},
    "coalesced-output": lambda rng, scenery: {
        "gather": f"{rng.randint(10, 900)}ms",
        "lasts": _span(rng, 2, 30),
    },
    "competing-session": _lasts(2, 30),
    "connectivity-lost": lambda rng, scenery: {
        "lasts": _span(rng, 1, 40),
        "restored": rng.choice(("maintained", "lost")),
        "fills": rng.choice(("late", "never")),
        "repeat": rng.choice(("", "3s")),
    },
    "cut": lambda rng, scenery: {"how": rng.choice(("reset", "close"))},
    "deposit": lambda rng, scenery: {"amount": float(rng.randint(-5000, 50_000))},
    "duplicate-execution": lambda rng, scenery: {"copies": rng.randint(2, 4), "count": rng.randint(1, 3)},
    "duplicate-status": lambda rng, scenery: {"copies": rng.randint(2, 4), "count": rng.randint(1, 4)},
    "execution-first": lambda rng, scenery: {"count": rng.randint(1, 3), "lasts": _span(rng, 2, 30)},
    "farm-flap": lambda rng, scenery: {
        "kind": rng.choice(("market", "hmds", "secdef")),
        "lasts": _span(rng, 1, 40),
    },
    "farm-idle": lambda rng, scenery: {"kind": rng.choice(("market", "hmds"))},
    "fill-after-cancel": lambda rng, scenery: {
        "after": _span(rng, 0.1, 10),
        "lots": rng.choice((0, 1)),
        "count": rng.randint(1, 2),
    },
    "half-bracket": lambda rng, scenery: {"lost": rng.choice(("last", "first"))},
    "half-open": lambda rng, scenery: {"zombie": rng.choice(("", "5s", "20s"))},
    "ids-rolled-back": lambda rng, scenery: {"by": rng.randint(1, 6)},
    "late-commission": lambda rng, scenery: {"delay": _span(rng, 0.1, 9), "count": rng.randint(1, 3)},
    "late-execution": lambda rng, scenery: {"delay": _span(rng, 0.1, 9), "count": rng.randint(1, 3)},
    "late-status": lambda rng, scenery: {"delay": _span(rng, 0.1, 9), "count": rng.randint(1, 3)},
    "malformed-frame": lambda rng, scenery: {
        "kind": rng.choice(SPOILS),
        "message": rng.choice(SPOILT),
        "count": rng.randint(1, 3),
    },
    "manual-change": lambda rng, scenery: {"quantity": rng.choice((0, 50))},
    "manual-order": lambda rng, scenery: {
        **_symbol(rng, scenery),
        "side": rng.choice(("BUY", "SELL")),
        "quantity": rng.randint(1, 100),
    },
    "market-move": lambda rng, scenery: {
        "symbol": rng.choice(("", *scenery.symbols)),
        "percent": rng.uniform(-3, 3),
    },
    "missing-status": lambda rng, scenery: {"count": rng.randint(1, 3)},
    "modify-forks": lambda rng, scenery: {"count": rng.randint(1, 2)},
    "mute": _lasts(1, 60),
    "nightly-reset": lambda rng, scenery: {
        "outage": _span(rng, 4, 30),
        "restart": rng.choice(("", "3s")),
        "refused": _span(rng, 2, 20),
        "rollback": rng.choice((0, 3)),
    },
    "notice": lambda rng, scenery: {"code": rng.choice((2110, 1102, 1101, 2104, 2158, 399, 99_999))},
    "pause-4096": lambda rng, scenery: {"pause": f"{rng.randint(20, 2000)}ms", "lasts": _span(rng, 2, 40)},
    "popup": lambda rng, scenery: {"count": rng.randint(1, 2), "lasts": rng.choice(("", _span(rng, 1, 20)))},
    "port-changed": lambda rng, scenery: {"port": scenery.free_port},
    "preset-change": lambda rng, scenery: {"count": rng.randint(1, 3)},
    "probe-wedge": _lasts(2, 30),
    "quote": _quote,
    "refuse-dials": _lasts(1, 40),
    "refuse-orders": _lasts(1, 30),
    "restart": lambda rng, scenery: {"lasts": _span(rng, 1, 30), "rollback": rng.choice((0, 0, 4))},
    "silent-order": lambda rng, scenery: {
        "count": rng.randint(1, 3),
        "lasts": rng.choice(("", _span(rng, 1, 30))),
    },
    "silent-start": _lasts(2, 30),
    "size-dialog": _lasts(2, 30),
    "slow-reader": lambda rng, scenery: {
        "bytes_per_s": rng.choice((100, 500, 5000)),
        "lasts": _span(rng, 2, 40),
    },
    "slow-writer": lambda rng, scenery: {
        "bytes_per_s": rng.choice((200, 2000, 20_000)),
        "lasts": _span(rng, 2, 40),
    },
    "split": lambda rng, scenery: {**_symbol(rng, scenery), "ratio": rng.choice((2.0, 0.5))},
    "split-output": lambda rng, scenery: {"most": rng.choice((1, 7, 60)), "lasts": _span(rng, 1, 10)},
    "stale-stream": lambda rng, scenery: {
        "symbol": rng.choice(("", *scenery.symbols)),
        "lasts": rng.choice(("", _span(rng, 5, 60))),
    },
    "swallow": _swallow,
    "transfer": lambda rng, scenery: {**_symbol(rng, scenery), "shares": rng.choice((-50, 20, 100))},
    "wrong-account": _lasts(2, 40),
    "zombie-id": _lasts(2, 40),
}


def draw_options(rng: Random) -> dict[str, Any]:
    """How this TWS is set and what it is: `SimulatorOptions` that a client can't choose."""
    return {
        "server_version": rng.choice(VERSIONS),
        "read_only": rng.random() < 0.05,
        "send_open_orders": rng.random() < 0.8,
        "preset_notice": rng.random() < 0.2,
        "gateway": rng.random() < 0.3,
        "zone_names": rng.random() < 0.3,
        "zombie_s": rng.choice((0.0, 0.0, 0.0, 5.0, 20.0)),
        "first_order_id": rng.choice((1, 1, 4711, 2_000_000)),
        "read_only_id": rng.choice((-1, 2**31 - 1)),
        "unsubscribed": rng.choice(((), (), (), ("SLV",))),
        "execution_days": rng.choice((1, 7)),
    }


def draw_storm(rng: Random, scenery: Scenery, faulty_s: float) -> list[Play]:
    """The plays of one run, in the order of time."""
    plays = []
    for _ in range(rng.randint(*scenery.plays)):
        name = rng.choice(scenery.names)
        values = FIELDS[name](rng, scenery) if name in FIELDS else {}
        if rng.random() < (0.5 if name in MET else 0.15):
            values |= {"on": rng.choice(EVENTS), "nth": rng.randint(1, 3), "times": rng.choice((1, 1, 2))}
        plays.append(Play(rng.uniform(0.0, faulty_s), name, values))
    if any(play.name in OUTAGES for play in plays):
        for play in plays:
            if play.name == "notice" and play.values["code"] in (1101, 1102):
                play.values["code"] = 2110  # a TWS that has no line does not say that it has one
    return sorted(plays, key=lambda play: play.at_s)
