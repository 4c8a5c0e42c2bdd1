"""The official client as a third witness, in process: its encoder writes into a list, its decoder calls a
recorder.

Our messages are turned into its objects by name (`lmt_price` is its `lmtPrice`), never through our codec.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Any

from ibapi import order_condition
from ibapi.client import EClient
from ibapi.comm import read_fields
from ibapi.const import UNSET_DECIMAL, UNSET_DOUBLE, UNSET_INTEGER, UNSET_LONG
from ibapi.contract import ComboLeg, Contract, DeltaNeutralContract
from ibapi.decoder import Decoder
from ibapi.execution import ExecutionFilter
from ibapi.order import Order, OrderComboLeg
from ibapi.order_cancel import OrderCancel
from ibapi.softdollartier import SoftDollarTier
from ibapi.tag_value import TagValue
from ibapi.wrapper import EWrapper
from msgspec import Struct

from tws.wire.messages import WireAttachedOrders, WireContract, WireOrder, WireOrderCondition

UNSET = (None, UNSET_DOUBLE, UNSET_INTEGER, UNSET_LONG, UNSET_DECIMAL)

NAMES = {
    "rule_80a": "rule80A",
    "primary_exch": "primaryExchange",
    "short_sales_slot": "shortSaleSlot",
    "is_price_revision_pending": "pendingPriceRevision",
    "bond_yield": "yield_",
    "realized_pnl": "realizedPNL",
    "exempt_code": "exemptCode",
    "sec_id_list": "secIdList",
    "id": "id_",
    "fund_minimum_subsequent_purchase": "fundSubsequentMinimumPurchase",
    "mifid2_decision_maker": "mifid2DecisionMaker",
}
"""Where the official object's attribute is not the protobuf name in camel case."""


def camel(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    first, *rest = name.split("_")
    return first + "".join(
        "RTH" if part == "rth" and "outside" in rest else part.capitalize() for part in rest
    )


OWN_NAMES = {
    ("SoftDollarTier", "value"): "val",
    ("FamilyCode", "account_id"): "accountID",
    ("FamilyCode", "family_code"): "familyCodeStr",
    ("ContractDetails", "puttable"): "putable",
    ("ContractDetails", "bond_notes"): "notes",
    ("NewsProvider", "provider_code"): "code",
    ("NewsProvider", "provider_name"): "name",
}
"""The same for single classes of the official client."""


def attribute(name: str, owner: Any) -> Any:
    """The official object's value of our attribute."""
    own = OWN_NAMES.get((type(owner).__name__, name))
    if own is not None:
        return getattr(owner, own)
    if name == "order_combo_leg_prices":
        return None if owner.orderComboLegs is None else [leg.price for leg in owner.orderComboLegs]
    wanted = camel(name)
    if not hasattr(owner, wanted) and wanted.endswith("RTH"):
        wanted = wanted[:-3] + "Rth"
    return getattr(owner, wanted)


# to the official objects


class _Capture:
    """Stands in for the socket: keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def isConnected(self) -> bool:
        return True

    def sendMsg(self, data: bytes) -> int:
        self.sent.append(data)
        return len(data)


class Failed(AssertionError):
    """The official client refused the call."""


class _Raises(EWrapper):  # type: ignore[misc]
    def error(self, *args: Any) -> None:
        raise Failed(args)


def client(version: int) -> tuple[EClient, list[bytes]]:
    """An official client that believes to be connected at this version, and what it sends."""
    capture = _Capture()
    eclient = EClient(_Raises())
    eclient.conn, eclient.serverVersion_, eclient.clientId = capture, version, 7
    eclient.setConnState(EClient.CONNECTED)
    return eclient, capture.sent


def contract(ours: WireContract) -> Contract:
    made = _filled(Contract(), ours, skip={"strike", "combo_legs", "delta_neutral_contract"})
    made.strike = UNSET_DOUBLE if ours.strike is None else ours.strike
    made.comboLegs = [_filled(ComboLeg(), leg) for leg in ours.combo_legs]
    if ours.delta_neutral_contract is not None:
        made.deltaNeutralContract = _filled(DeltaNeutralContract(), ours.delta_neutral_contract)
    return made


def order(ours: WireOrder, attached: WireAttachedOrders | None = None) -> Order:
    own = {
        "soft_dollar_tier",
        "conditions",
        "order_combo_leg_prices",
        "use_price_mgmt_algo",
        "fa_profile",
        "shares_allocation",
        "algo_params",
        "smart_combo_routing_params",
        "order_misc_options",
    }
    made = _filled(Order(), ours, skip=own)
    if attached is not None:
        _filled(made, attached)
    made.usePriceMgmtAlgo = ours.use_price_mgmt_algo
    made.displaySize = (
        UNSET_INTEGER if ours.display_size is None else ours.display_size
    )  # its own default is 0
    made.softDollarTier = SoftDollarTier(ours.soft_dollar_tier.name, ours.soft_dollar_tier.value, "")
    made.algoParams, made.smartComboRoutingParams = (
        tags(ours.algo_params),
        tags(ours.smart_combo_routing_params),
    )
    made.orderMiscOptions = tags(ours.order_misc_options)
    made.conditions = [condition(one) for one in ours.conditions]
    made.orderComboLegs = []
    for price in ours.order_combo_leg_prices:
        made.orderComboLegs.append(OrderComboLeg())
        made.orderComboLegs[-1].price = UNSET_DOUBLE if price is None else price
    return made


def condition(ours: WireOrderCondition) -> order_condition.OrderCondition:
    made = order_condition.Create(ours.type)
    made.isConjunctionConnection, made.isMore = ours.is_conjunction_connection, ours.is_more
    made.conId, made.exchange, made.symbol, made.secType = (
        ours.con_id,
        ours.exchange,
        ours.symbol,
        ours.sec_type,
    )
    made.triggerMethod, made.time = ours.trigger_method, ours.time
    made.price = UNSET_DOUBLE if ours.price is None else ours.price
    # whole: its protobuf form takes nothing else, and it refuses the order then
    made.percent = UNSET_DOUBLE if ours.percent is None else int(ours.percent)
    made.changePercent = UNSET_DOUBLE if ours.change_percent is None else ours.change_percent
    made.volume = UNSET_INTEGER if ours.volume is None else ours.volume
    return made


def tags(pairs: tuple[tuple[str, str], ...]) -> list[TagValue]:
    return [TagValue(tag, value) for tag, value in pairs]


def order_cancel(ours: Any) -> OrderCancel:
    return _filled(OrderCancel(), ours)


def execution_filter(ours: Any) -> ExecutionFilter:
    made = _filled(ExecutionFilter(), ours, skip={"specific_dates"})
    made.specificDates = list(ours.specific_dates) or None
    return made


def _filled(made: Any, ours: Struct, skip: frozenset[str] | set[str] = frozenset()) -> Any:
    for name in ours.__struct_fields__:
        if name in skip:
            continue
        value = getattr(ours, name)
        known = camel(name)
        if not hasattr(made, known):
            raise AssertionError(f"{type(made).__name__} has no {known}")
        if value is None:
            value = getattr(type(made)(), known)  # the official object's own word for unset
            assert value in UNSET or not value, (known, value)
        setattr(made, known, value)
    return made


# from the official decoder


class Recorder(EWrapper):  # type: ignore[misc]
    """Keeps every callback with its arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_") or name in ("calls",):
            return super().__getattribute__(name)
        return lambda *args: self.calls.append((name, args))


@cache
def _decoder(version: int) -> tuple[Recorder, Decoder]:
    """A decoder takes 10 ms to make, and keeps nothing between two payloads."""
    recorder = Recorder()
    return recorder, Decoder(recorder, version)


def callbacks(payload: bytes, version: int) -> list[tuple[str, tuple[Any, ...]]]:
    """What the official decoder makes of a payload, as its message loop would hand it over."""
    recorder, decoder = _decoder(version)
    recorder.calls.clear()
    if version < 201:
        message_id, _, rest = payload.partition(b"\0")
        decoder.interpret(read_fields(rest), int(message_id))
    elif (number := int.from_bytes(payload[:4], "big")) > 200:
        decoder.processProtoBuf(payload[4:], number - 200)
    else:
        decoder.interpret(read_fields(payload[4:]), number)
    return [call for call in recorder.calls if not call[0].endswith("ProtoBuf")]


def same(ours: Any, theirs: Any, name: str = "") -> None:
    """Assert that a value of ours is the official one."""
    if isinstance(ours, WireOrderCondition):
        assert ours.type == theirs.condType
        for part in ours.__struct_fields__[1:]:
            if getattr(ours, part) != getattr(WireOrderCondition(type=0), part) or hasattr(
                theirs, camel(part)
            ):
                same(getattr(ours, part), attribute(part, theirs), f"{name}.{part}")
    elif isinstance(ours, Struct):
        for part in ours.__struct_fields__:
            same(getattr(ours, part), attribute(part, theirs), f"{name}.{part}")
    elif isinstance(ours, tuple):
        rows = list(theirs or ())
        assert len(ours) == len(rows), name
        for mine, row in zip(ours, rows, strict=True):
            same(
                mine,
                (row.tag, row.value) if isinstance(row, TagValue) and not isinstance(mine, Struct) else row,
                name,
            )
    elif ours is None:
        text = isinstance(theirs, str) and re.fullmatch(r"1\.7976931348623157[eE]\+?308|", theirs)
        assert theirs in UNSET or text or theirs is False or theirs == 0, (name, theirs)
    elif isinstance(ours, float) and isinstance(theirs, str):
        assert ours == float(theirs), (name, ours, theirs)
    elif isinstance(ours, Decimal):
        assert ours == theirs and isinstance(theirs, Decimal), (name, ours, theirs)
    else:
        assert ours == theirs, (name, ours, theirs)
