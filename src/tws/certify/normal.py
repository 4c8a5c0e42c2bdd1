"""A message as it is compared: what must be alike is kept, what differs by nature is not.

The rules, each a table below:

* ids, times, prices, sizes and amounts: only whether they are stated. In orders a zero is told from a number,
  since the zeros that TWS fills in are known (TWS-BEHAVIOUR.md C5);
* codes, statuses, order types, sides, flags and other words of a fixed choice (`EXACT`): as they are;
* times as texts (`TIMES`): their shape, digits as 9 and names of zones as Z;
* texts of errors: their words, numbers and quoted names left out; they are noted, not judged;
* rows of lists and messages of streams (`ROWS`, `STREAMS`): whichever came, as one, with the fields of all;
* notices of farms and of the message rate (`CHATTER`): not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import Struct

from tws.wire import messages as m
from tws.wire.messages import Answer

__all__ = ["CHATTER", "FOREIGN", "ROWS", "STREAMS", "Item", "item_of", "shape"]

Says: TypeAlias = tuple[tuple[str, str], ...]


class Item(Struct, frozen=True):
    """One step of a conversation. Two sides are alike in it when `name` and `says` are; what is `given`
    beside that is compared field by field, `text` is noted.
    """

    name: str
    says: Says = ()
    given: frozenset[str] = frozenset()
    text: str = ""

    def __str__(self) -> str:
        said = [word for name, word in self.says if name.rpartition(".")[2] in BRIEF]
        return f"{self.name} ({', '.join(said)})" if said else self.name


BRIEF = frozenset({"error_code", "status", "side", "market_data_type"})
"""The words by which a step is told from others when it is shown."""

CHATTER = frozenset({2103, 2104, 2105, 2106, 2107, 2108, 2119, 2157, 2158, 0})
"""Farms come and go by themselves (A6); 0 is the warning about the message rate (B)."""

STREAMS: frozenset[type[Answer]] = frozenset(
    {
        m.TickPrice, m.TickSize, m.TickString, m.TickGeneric, m.TickOptionComputation, m.TickByTickData,
        m.MarketDepth, m.MarketDepthL2, m.RealTimeBarTick, m.HistoricalDataUpdate, m.PnL, m.PnLSingle,
        m.AccountUpdateTime, m.AccountValue, m.AccountSummary, m.AccountUpdateMulti, m.TickNews,
    }
)  # fmt: skip
"""Their number and order is the market's: the place of the first one counts."""

ROWS: frozenset[type[Answer]] = frozenset(
    {
        m.ContractData, m.BondContractData, m.SecDefOptParameter, m.HistoricalTicks, m.HistoricalTicksBidAsk,
        m.HistoricalTicksLast, m.Position, m.PositionMulti, m.PortfolioValue, m.CompletedOrder,
        m.HistoricalNews,
    }
)  # fmt: skip
"""One for each thing that there is, however many there are."""

FOREIGN = frozenset(
    """
        Position PositionMulti PortfolioValue CompletedOrder OpenOrder OrderStatus ExecutionDetails
        CommissionAndFeesReport HistoricalNews
    """.split()
)
"""Rows of lists that depend on what the account has done before: that there are none is no difference."""

QUOTES = frozenset({1, 2, 66, 67, 48, 13, 53})
"""Bid and ask, delayed ones too, the volume in real time, greeks: which others come is the market's."""

EXACT: dict[type, tuple[str, ...]] = {
    m.ErrorMessage: ("error_code",),
    m.OrderStatus: ("status", "filled", "remaining", "why_held"),
    m.WireOrderState: ("status",),
    m.WireOrder: (
        "action", "order_type", "tif", "total_quantity", "oca_type", "open_close", "origin",
        "clearing_intent", "trigger_method", "exempt_code", "delta_neutral_order_type",
        "adjusted_order_type", "hedge_type", "rule_80a", "algo_strategy",
    ),
    m.WireExecution: ("side", "shares", "cum_qty", "liquidation"),
    m.CommissionAndFeesReport: ("currency",),
    m.WireContract: ("sec_type", "currency"),
    m.MarketDataType: ("market_data_type",),
    m.TickByTickData: ("tick_type",),
}  # fmt: skip
"""By class of message or of a value within it, the fields whose words are compared."""

TIMES: dict[type, tuple[str, ...]] = {
    m.WireExecution: ("time",),
    m.HistoricalDataBar: ("date",),
    m.HistoricalDataEnd: ("start_date", "end_date"),
    m.HeadTimestamp: ("head_timestamp",),
    m.WireOrderState: ("completed_time",),
}
ORDERS = (m.WireOrder, m.WireOrderState)
"""Where a zero is told from a number."""
LEFT_OUT = frozenset({"req_id", "error_msg", "error_time", "id", "special_conditions", "socket_port"})
"""Whose answer it is, what is noted by itself, what a print has or has not, and where a TWS listens."""
ACCOUNT_KEYS = frozenset(
    """
        AccountType NetLiquidation TotalCashValue SettledCash AccruedCash BuyingPower EquityWithLoanValue
        GrossPositionValue InitMarginReq MaintMarginReq AvailableFunds ExcessLiquidity Cushion
        FullInitMarginReq FullMaintMarginReq FullAvailableFunds FullExcessLiquidity LookAheadNextChange
        LookAheadInitMarginReq LookAheadMaintMarginReq LookAheadAvailableFunds LookAheadExcessLiquidity
        CashBalance ExchangeRate RealizedPnL UnrealizedPnL
    """.split()
)
"""Values that every account states (D, and the ledger's); others depend on the kind of account."""

_QUOTED = re.compile(r"['\"‘’“”][^'\"‘’“”]*['\"‘’“”]")
_DIGITS = re.compile(r"\d+")
_ZONE = re.compile(r"(?<=[0-9] )[A-Za-z][A-Za-z/_ ]*$")


def item_of(message: Answer) -> Item | None:
    """The message as a step; None for chatter."""
    kind = type(message)
    if isinstance(message, m.ErrorMessage):
        if message.error_code in CHATTER:
            return None
        code = (("error_code", str(message.error_code)),)
        return Item("ErrorMessage", code, frozenset(), _words(message.error_msg))
    if kind in STREAMS:
        return Item(kind.__name__ if kind not in TICKS else "ticks", (), frozenset(_streamed(message)))
    says, given = [], set()
    for path, owner, name, value in _leaves(message, kind.__name__):
        if name in EXACT.get(owner, ()) and "[]" in path:  # of how many there are nobody knows
            given.add(f"{path} {value}")
        elif name in EXACT.get(owner, ()) or (
            isinstance(value, bool) and kind not in ROWS and "[]" not in path
        ):
            says.append((path, str(value)))
        elif name in TIMES.get(owner, ()) and value:
            given.add(f"{path} as {shape(str(value))}")
        elif (word := _presence(path, owner, value)) is not None:
            given.add(word)
    if kind in ROWS:
        return Item(kind.__name__, (), frozenset(given | {f"{path} {word}" for path, word in says}))
    return Item(kind.__name__, tuple(says), frozenset(given))


TICKS: frozenset[type[Answer]] = frozenset(
    {m.TickPrice, m.TickSize, m.TickString, m.TickGeneric, m.TickOptionComputation}
)


def _streamed(message: Any) -> Iterator[str]:
    if type(message) in TICKS:
        if message.tick_type in QUOTES:
            yield f"tick {message.tick_type}"
    elif isinstance(message, m.AccountValue | m.AccountSummary | m.AccountUpdateMulti):
        key = getattr(message, "key", "") or getattr(message, "tag", "")
        if key in ACCOUNT_KEYS:
            yield f"key {key}"
    else:
        for path, owner, name, value in _leaves(message, type(message).__name__):
            if name in EXACT.get(owner, ()):
                yield f"{path} {value}"
            elif (word := _presence(path, owner, value)) is not None:
                yield word


def _leaves(value: Any, path: str) -> Iterator[tuple[str, type, str, Any]]:
    """The fields of a value and of the values in it: path, class that has it, name, value."""
    for name in value.__struct_fields__:
        if name in LEFT_OUT:
            continue
        inner, at = getattr(value, name), f"{path}.{name}"
        if isinstance(inner, Struct):
            yield from _leaves(inner, at)
        elif isinstance(inner, tuple) and inner and isinstance(inner[0], Struct):
            for one in inner:
                yield from _leaves(one, f"{at}[]")
        else:
            yield at, type(value), name, inner


def _presence(path: str, owner: type, value: Any) -> str | None:
    """That a field is stated, in a word; None when it is not."""
    if value is None or value in ("", ()):
        return None
    if owner in ORDERS and isinstance(value, int | float | Decimal) and value in (0, -1):
        return f"{path} {int(value)}"
    return path


def _words(text: str) -> str:
    """The words of a text, without numbers and quoted names."""
    return " ".join(_DIGITS.sub("#", _QUOTED.sub("'…'", text)).split())


def shape(text: str) -> str:
    """20260105 10:00:00 America/New_York -> 99999999 99:99:99 Z; an epoch -> epoch."""
    if text.isdigit() and len(text) in (10, 13):
        return "epoch"
    return re.sub(r"\d", "9", _ZONE.sub("Z", text))
