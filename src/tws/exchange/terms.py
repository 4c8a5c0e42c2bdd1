"""What goes into the exchange: instruments, sessions, accounts, order tickets and habits.

Orders arrive as Decimals, exactly as the client wrote them, since an order off the grid has to
be refused in TWS's words (110); `Instrument` turns them into ticks and lots at the door. Quotes
and trades, the hot inputs, arrive as integer ticks and lots (see `Exchange.quote`). Instants are ns
UTC: who reads TWS's texts of dates does so before it builds a ticket.
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum, StrEnum

from msgspec import Struct

from tws.exchange.special import Special
from tws.model.instrument import Instrument
from tws.model.order import Side

__all__ = [
    "AccountSetup",
    "ChildrenWork",
    "Condition",
    "ConditionKind",
    "ExecutionFilter",
    "FarPrice",
    "Habits",
    "Leg",
    "Listing",
    "OcaType",
    "OrderTicket",
    "Session",
    "TriggerMethod",
]

Hours = tuple[tuple[int, int], ...]


class Session(Struct, frozen=True, kw_only=True):
    """When an instrument trades: spans of (open, close) in ns UTC, ascending, apart; close is exclusive.

    `regular` None means always: there is no close and a DAY order never expires. `extended` are the
    further spans in which orders with `outside_rth` may trade (before the open, after the close).
    A market that never closes has no opening and no closing auction; so that on-open and on-close orders
    can be tried there, it holds one at every full `auction_every_ns` (our choice).
    """

    regular: Hours | None = None
    extended: Hours = ()
    auction_every_ns: int = 60_000_000_000


class TriggerMethod(IntEnum):
    """How a stop is triggered; TWS's numbers (official documentation). 0 is the instrument's own default.

    What must rise to a price is watched at the bid, what must fall at the ask; DOUBLE wants two in a row.
    """

    DEFAULT = 0
    DOUBLE_BID_ASK = 1
    LAST = 2
    DOUBLE_LAST = 3
    BID_ASK = 4
    LAST_OR_BID_ASK = 7
    MIDPOINT = 8


class Listing(Struct, frozen=True, kw_only=True):
    """An instrument as this exchange trades it. `trigger` is what TriggerMethod.DEFAULT means for it."""

    instrument: Instrument
    session: Session = Session()
    trigger: TriggerMethod = TriggerMethod.LAST


class AccountSetup(Struct, frozen=True, kw_only=True):
    """An account with its opening cash in `currency`; all its instruments are in that one currency."""

    account: str
    cash: Decimal = Decimal(1_000_000)
    currency: str = "USD"


class OcaType(IntEnum):
    """One-cancels-all (TWS-BEHAVIOUR.md C2). 0 reads as 3, what TWS fills in (C5)."""

    UNSET = 0
    CANCEL_WITH_BLOCK = 1
    REDUCE_WITH_BLOCK = 2
    REDUCE_NO_BLOCK = 3


class ConditionKind(IntEnum):
    """What a condition looks at; TWS's numbers (official client)."""

    PRICE = 1
    TIME = 3
    MARGIN = 4
    EXECUTION = 5
    VOLUME = 6
    PERCENT_CHANGE = 7


class Condition(Struct, frozen=True, kw_only=True):
    """One condition of an order. `kind` says which fields mean something; `is_more` is >=, else <=.

    PRICE           con_id, price in its currency, trigger_method
    TIME            time_ns
    MARGIN          amount: the cushion, excess liquidity over equity, in percent
    EXECUTION       symbol, sec_type, exchange (SMART or empty: any): a fill in the order's account
    VOLUME          con_id, amount: what was traded today, in shares
    PERCENT_CHANGE  con_id, amount: percent from the previous close

    `joins_and` ties it to the next condition: and, or or.
    """

    kind: ConditionKind
    joins_and: bool = True
    is_more: bool = True
    con_id: int = 0
    price: Decimal | None = None
    trigger_method: int = 0
    time_ns: int = 0
    amount: Decimal | None = None
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""


class Leg(Struct, frozen=True, kw_only=True):
    """One leg of a combo: so many contracts per unit, bought or sold when the combo is bought."""

    con_id: int
    ratio: int
    side: Side
    exchange: str = ""


class OrderTicket(Struct, frozen=True, kw_only=True):
    """One placeOrder: a new order, or the change of a living one when (client_id, order_id) is known.

    Quantity in shares, prices in the contract's currency, None where unset. `tif` empty means not
    stated (TWS sets DAY and says so, 10349). `order_type` and `tif` are TWS's text, so that what the
    exchange doesn't know can be refused. `carried` is an opaque frozen value of the caller (the
    whole order as it came by wire, say): never read, returned in every `OrderView`.

    stop_price              TWS's auxPrice: a stop's price, what is touched, the amount that a TRAIL trails
                            by, the offset of a pegged order
    trailing_percent        trails by so many percent instead; trail_stop_price is where it starts
    lmt_price_offset        TRAIL LIMIT: how far beyond the stop its limit lies
    good_after_ns, good_till_ns   0: unset; `good_till_ns` counts with tif GTD
    min_qty, all_or_none    what one fill must have at least, in shares; all of it
    trigger_price ...       an adjusted stop: at this price it becomes `adjusted_order_type`
    adjusted_trailing_percent     the adjusted amount is in percent (adjustableTrailingUnit 100)
    legs                    a combo instead of the contract of `con_id`, which is not read then
    starting_price          where PEG BENCH and PEG STK begin
    special                 what only special orders state
    in_money                its size was reckoned of an amount of money
    """

    client_id: int
    order_id: int
    account: str
    con_id: int
    side: Side
    quantity: Decimal
    order_type: str = "LMT"
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    tif: str = "DAY"
    order_ref: str = ""
    parent_id: int = 0
    transmit: bool = True
    oca_group: str = ""
    oca_type: int = 0
    outside_rth: bool = False
    trigger_method: int = 0
    good_after_ns: int = 0
    good_till_ns: int = 0
    trailing_percent: Decimal | None = None
    trail_stop_price: Decimal | None = None
    lmt_price_offset: Decimal | None = None
    starting_price: Decimal | None = None
    all_or_none: bool = False
    min_qty: Decimal | None = None
    trigger_price: Decimal | None = None
    adjusted_order_type: str = ""
    adjusted_stop_price: Decimal | None = None
    adjusted_stop_limit_price: Decimal | None = None
    adjusted_trailing_amount: Decimal | None = None
    adjusted_trailing_percent: bool = False
    conditions: tuple[Condition, ...] = ()
    conditions_ignore_rth: bool = False
    conditions_cancel_order: bool = False
    what_if: bool = False
    legs: tuple[Leg, ...] = ()
    special: Special | None = None
    in_money: bool = False
    carried: object = None


class ChildrenWork(StrEnum):
    """What a bracket's children do while their parent is partly filled: undocumented, so a switch (C2)."""

    HELD_UNTIL_FULL = "held until full"
    FOR_FILLED_PART = "for the filled part"


class FarPrice(StrEnum):
    """What becomes of a limit far through the market (C3: capped, or Cancelled with 202)."""

    ALLOWED = "allowed"
    CAPPED = "capped"
    CANCELLED = "cancelled"


class Habits(Struct, frozen=True, kw_only=True):
    """How TWS behaves where it may behave in more than one way.

    duplicate_filled    5+3 Filled are said twice, as recorded (C2 Market)
    presubmitted_first  a resting limit order says PreSubmitted before Submitted (C2: "often skipped")
    children            see ChildrenWork
    child_why_held      whyHeld of children that wait for their parent (hearsay, so empty by default)
    cancel_latency_ns   above 0: a cancel says PendingCancel, may fill, and is Cancelled so much later
    check_margin        orders beyond the account's available funds are rejected (201)
    max_working         orders per contract, side and account that may live at once (B: about 20), then 201
    far_price           see FarPrice; far is `far_share` of the mark beyond it
    last_leeway         a last price outside the quote by more than this share of it triggers nothing that
                        goes by the last: 0.005 in IB's guide, which may change; 0: any last price triggers
    twap_strategy       Twap takes its documented strategyType; off: 443, as a Gateway was recorded to say
    parent_in_change    a change that names the order's parent again is taken; off: refused with 135 (INS#647)
    """

    duplicate_filled: bool = True
    presubmitted_first: bool = True
    children: ChildrenWork = ChildrenWork.HELD_UNTIL_FULL
    child_why_held: str = ""
    cancel_latency_ns: int = 0
    check_margin: bool = True
    max_working: int = 20
    far_price: FarPrice = FarPrice.ALLOWED
    far_share: Decimal = Decimal("0.10")
    last_leeway: Decimal = Decimal(0)
    parent_in_change: bool = True
    twap_strategy: bool = False


class ExecutionFilter(Struct, frozen=True, kw_only=True):
    """Which executions are asked for. Empty text, 0: any. `client_id` 0 is any client too (C4).

    `spans` are (begin, end) in ns, end exclusive, one of which it falls into; exchange SMART is any.
    """

    client_id: int = 0
    account: str = ""
    since_ns: int = 0
    con_id: int = 0
    symbol: str = ""
    side: str = ""
    sec_type: str = ""
    exchange: str = ""
    spans: tuple[tuple[int, int], ...] = ()
