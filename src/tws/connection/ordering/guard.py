"""The built-in guard: who approves orders when no desk does, and what it writes down first.

The figures are those of `tws.risk.StandaloneGate` (quantity, notional, allow-list), which mints a one-use
permit and takes it back. An exercise is judged as the order that it is in effect: so many contracts at the
strike. What advisors' settings or TWS's own do to money has no figure: such a call is approved when whoever
made the connection has allowed its kind by name, for exactly its bytes. What is approved is committed to a
small SQLite file before a byte leaves. The guard is no desk: it knows no positions, and refuses what it has
no figure for.

The live lock stands before every guard, `guard="off"` included: a live port, a live or unknown account
may be read, and traded only once a named human has unlocked it (docs/design/safety.md).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Set
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from msgspec.structs import replace

from tws.config import TWSConfig, is_live_port, is_paper_account
from tws.connection.ordering.calls import MoneyCall, MoneyKind
from tws.model.contract import Contract, ContractDetails
from tws.model.exercise import STRIKE_STEP
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Order, OrderType, Side
from tws.risk import Denial, StandaloneGate, fitting

__all__ = ["Approval", "Book", "Guard", "Known", "LiveLock", "SqliteBook", "denial"]

Approval: TypeAlias = Callable[[], Denial | None]
"""Uses an approval up, once: None when it is good."""


class LiveLock:
    """Whether money may move in this session at all.

    Port and mode come from the configuration; the accounts are those that TWS named. Source of the signs:
    TWS-BEHAVIOUR.md H (ports), DESIGN.md invariant 7 (accounts of paper begin with D).
    """

    def __init__(
        self,
        config: TWSConfig,
        accounts: Callable[[], tuple[str, ...]],
        unlocked: Callable[[str], bool] = lambda account: False,
    ) -> None:
        """`unlocked`: whether a named human has let this live account trade."""
        self._live = (
            "a live port" if is_live_port(config.port)
            else 'trading_mode "live"' if config.trading_mode == "live" else ""
        )  # fmt: skip
        self._accounts = accounts
        self._unlocked = unlocked

    def judge(self, account: str) -> Denial | None:
        """None when an order for `account` ("" = whichever TWS takes) may leave."""
        accounts = self._accounts()
        if account and account not in accounts and accounts:
            return denial(
                "live_lock",
                "another account",
                "an account of this session",
                "TWS did not name this account for this session",
            )
        named = (account,) if account else accounts
        if accounts and all(self._is_free(name) for name in named):
            return None
        reason = "live trading is locked; reading is allowed"
        if self._live:
            return denial("live_lock", self._live, "a paper session", reason)
        if not accounts:
            return denial("live_lock", "no account", "a known account", "TWS has not named its accounts")
        return denial("live_lock", "a live account", "a paper account (D…)", reason)

    def _is_free(self, account: str) -> bool:
        """A paper account in a session of paper, or an account that was unlocked."""
        return (not self._live and is_paper_account(account)) or self._unlocked(account)


class Book(Protocol):
    """Where the guard writes what it lets leave; `commit` returns when all of it is on disk."""

    def write(self, line: str) -> None: ...
    def commit(self) -> None: ...
    def close(self) -> None: ...


class Known(NamedTuple):
    """What the guard looks up: the account that we trade; the last known quote of a contract, by which a
    market order is valued; its price and quantity steps, and what TWS has said of it, as far as known.
    """

    account_of: Callable[[], str]
    quote_of: Callable[[Contract], Quote | None]
    grid_of: Callable[[Contract], Instrument]
    details_of: Callable[[Contract], ContractDetails | None]


class Guard:
    """The small gate of `tws.risk` for whoever has no desk, and its book. `allowed` are the kinds without
    figures that may leave.
    """

    def __init__(
        self, gate: StandaloneGate, book: Book, known: Known, allowed: Set[MoneyKind] = frozenset()
    ) -> None:
        self.gate = gate
        self.book = book
        self._known = known
        self._allowed = allowed

    def approve(self, call: MoneyCall, frame: bytes) -> Approval | Denial:
        """What takes the one-use permit for exactly this call back, or why there is none."""
        if call.kind is MoneyKind.PLACE:
            return self._approve_order(call)
        judged = self._judge_exercise(call) if call.kind is MoneyKind.EXERCISE else self._judge_kind(call)
        if judged is not None:
            return judged
        permit = self.gate.permit_frame(frame)
        return lambda: self.gate.redeem_frame(permit, frame)

    def _approve_order(self, call: MoneyCall) -> Approval | Denial:
        contract, order = call.contract, call.order
        if contract is None or order is None:
            return _unreadable(call)
        if contract.sec_type == "BAG":
            return denial("guard", "a combination", "single contracts", "the guard can't value a combination")
        known = self._known
        self.gate.account, grid = known.account_of(), known.grid_of(contract)
        if call.full is not None:  # its plain twin need not have all of its prices
            fitted = fitting(grid, call.full)
            if isinstance(fitted, Denial):
                return fitted
        permit = self.gate.permit(call.order_id, grid, order, known.quote_of(contract))
        if isinstance(permit, Denial):
            return permit
        return lambda: self.gate.redeem(permit, call.order_id, contract, order)

    def _judge_exercise(self, call: MoneyCall) -> Denial | None:
        """Its figures are those of a purchase (a call) or sale (a put) at the strike."""
        contract, wish = call.contract, call.exercise
        if contract is None or wish is None:
            return _unreadable(call)
        told = self._known.details_of(contract)
        if told is not None:  # TWS goes by the con_id, whatever else the frame says
            contract = told.contract
        if not contract.strike:
            return denial("guard", "no strike", "a strike", "without one an exercise can't be valued")
        order = Order(
            side=Side.SELL if contract.right.startswith("P") else Side.BUY,
            quantity=Decimal(wish.quantity),
            order_type=OrderType.LIMIT,
            limit_price=Decimal(repr(contract.strike)),
            account=wish.account,
        )
        if not contract.multiplier:
            contract = replace(contract, multiplier="100")  # TWS's default (official)
        self.gate.account = self._known.account_of()
        return self.gate.judge(Instrument(contract=contract, tick=STRIKE_STEP), order)

    def _judge_kind(self, call: MoneyCall) -> Denial | None:
        if call.kind in self._allowed:
            return None
        reason = f"it has no figure; a connection made with allow={{{call.kind.value!r}}} may send it"
        return denial("guard", call.says or call.kind.value, "a kind that was allowed", reason)


def _unreadable(call: MoneyCall) -> Denial:
    return denial("guard", call.beyond, "plain calls", "the built-in guard can't tell what this may do")


class SqliteBook:
    """A table of lines, fully synchronised on commit, on macOS down to the platter (`fullfsync`).

    Opened with the first line, so that a program that only reads makes no file. Used on one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._base: sqlite3.Connection | None = None

    def write(self, line: str) -> None:
        if self._base is None:
            self._base = self._open()
        self._base.execute(
            "INSERT INTO sent (at, line) VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?)", (line,)
        )

    def commit(self) -> None:
        if self._base is not None:
            self._base.commit()

    def close(self) -> None:
        base, self._base = self._base, None
        if base is not None:
            base.close()

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # The loop's thread writes, but a disconnect may close from another one, when the loop has ended.
        base = sqlite3.connect(self._path, timeout=2.0, check_same_thread=False)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "fullfsync = 1"):
            base.execute(f"PRAGMA {pragma}")
        base.execute(
            "CREATE TABLE IF NOT EXISTS sent (id INTEGER PRIMARY KEY, at TEXT NOT NULL, line TEXT NOT NULL)"
        )
        return base


def denial(limit: str, figure: str, bound: str, reason: str) -> Denial:
    """A denial in four words."""
    return Denial(limit=limit, figure=figure, bound=bound, reason=reason)
