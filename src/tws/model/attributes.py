"""What an order may say beyond its side, size, type and prices: every attribute that TWS takes.

`Attributes` holds the single ones and, as small values, those that belong together (a scale, a hedge, a
delta-neutral hedge …). None, empty and False mean: not stated. Fractions are Decimal, given as int, float,
text or Decimal. Nothing is judged here: `tws.ordertypes` builds orders and knows what TWS refuses. What each
attribute means is the official documentation's (class Order, API 10.46); the table that carries them over the
wire is `tws.connection.attributes`, and a test holds it complete against the official class.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import force_setattr

from tws.model.algos import Algo, Tags, sorted_tags
from tws.model.conditions import Conditions
from tws.model.instrument import decimal

__all__ = [
    "Adjusted",
    "Allocation",
    "Attached",
    "Attributes",
    "Benchmark",
    "Clearing",
    "Combo",
    "Compliance",
    "DeltaNeutral",
    "Hedge",
    "PegOffsets",
    "Reference",
    "Scale",
    "ShortSale",
    "SoftDollar",
    "Volatility",
]


def _exact(owner: Struct, *names: str) -> None:
    for name in names:
        value = getattr(owner, name)
        if value is not None and type(value) is not Decimal:
            force_setattr(owner, name, decimal(value, name))


class Scale(Struct, frozen=True, kw_only=True):
    """An order in pieces: `init_level_size` shares, then `subs_level_size` at each `price_increment`.

    `price_adjust_value` is added every `price_adjust_interval_s`; `profit_offset` takes profit that far from
    each fill, and `auto_reset` then restores the piece.
    """

    init_level_size: int | None = None
    subs_level_size: int | None = None
    price_increment: Decimal | None = None
    price_adjust_value: Decimal | None = None
    price_adjust_interval_s: int | None = None
    profit_offset: Decimal | None = None
    auto_reset: bool = False
    init_position: int | None = None
    init_fill_quantity: int | None = None
    random_percent: bool = False
    table: str = ""

    def __post_init__(self) -> None:
        _exact(self, "price_increment", "price_adjust_value", "profit_offset")


class Hedge(Struct, frozen=True, kw_only=True):
    """A child that hedges its parent: D delta, B beta, F currency, P pair.

    `param` is "beta=1.2" or "ratio=3" in the official words, the number alone in practice. `max_size` caps
    the shares that a beta hedge sells short. `auto_price` False: do not price it by TWS's own means; TWS
    answers with one and the same word whatever was said, so it never comes back (C5).
    """

    type: str
    param: str = ""
    max_size: int | None = None
    auto_price: bool = True


class Volatility(Struct, frozen=True, kw_only=True):
    """The price of an option in volatility: in percent, `type` 1 daily, 2 annual.

    `continuous_update` follows the stock; `reference_price_type` 1 the middle, 2 bid or ask.
    """

    volatility: Decimal
    type: int | None = None
    continuous_update: bool = False
    reference_price_type: int | None = None

    def __post_init__(self) -> None:
        _exact(self, "volatility")


class DeltaNeutral(Struct, frozen=True, kw_only=True):
    """The stock order that makes a VOL order delta neutral as it fills; `aux_price` as its type needs it."""

    order_type: str
    aux_price: Decimal | None = None
    con_id: int = 0
    settling_firm: str = ""
    clearing_account: str = ""
    clearing_intent: str = ""
    open_close: str = ""
    short_sale: bool = False
    short_sale_slot: int = 0
    designated_location: str = ""

    def __post_init__(self) -> None:
        _exact(self, "aux_price")


class Reference(Struct, frozen=True, kw_only=True):
    """What an order that follows a stock or another contract starts from, and between which prices it lives.

    `delta` (1 to 100) is PEG STK's; `reference_price` is the underlying's at the start, `starting_price` the
    order's own.
    """

    starting_price: Decimal | None = None
    reference_price: Decimal | None = None
    delta: Decimal | None = None
    range_lower: Decimal | None = None
    range_upper: Decimal | None = None

    def __post_init__(self) -> None:
        _exact(self, "starting_price", "reference_price", "delta", "range_lower", "range_upper")


class Benchmark(Struct, frozen=True, kw_only=True):
    """PEG BENCH: the price moves by `change` (down with `is_decrease`) for each `reference_change` of the
    reference contract at `exchange`.
    """

    con_id: int
    exchange: str
    change: Decimal
    reference_change: Decimal
    is_decrease: bool = False

    def __post_init__(self) -> None:
        _exact(self, "change", "reference_change")


class PegOffsets(Struct, frozen=True, kw_only=True):
    """PEG BEST and PEG MID at IBKRATS, and the least trade there.

    `up_to_mid`: compete up to the middle; then, and for PEG MID, `mid_offset_at_whole` counts where the
    spread is an even number of cents, `mid_offset_at_half` where it is odd.
    """

    min_trade_quantity: int | None = None
    min_compete_size: int | None = None
    compete_offset: Decimal | None = None
    up_to_mid: bool = False
    mid_offset_at_whole: Decimal | None = None
    mid_offset_at_half: Decimal | None = None

    def __post_init__(self) -> None:
        _exact(self, "compete_offset", "mid_offset_at_whole", "mid_offset_at_half")


class Adjusted(Struct, frozen=True, kw_only=True):
    """What a stop becomes when the market reaches `trigger_price`, away from the stop.

    `trailing_unit` 0: `trailing_amount` is an amount; 100: a percent.
    """

    order_type: str
    trigger_price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_limit_price: Decimal | None = None
    trailing_amount: Decimal | None = None
    trailing_unit: int = 0

    def __post_init__(self) -> None:
        _exact(self, "trigger_price", "stop_price", "stop_limit_price", "trailing_amount")


class Allocation(Struct, frozen=True, kw_only=True):
    """How an adviser's order is split among accounts: a group with its method, or a model."""

    group: str = ""
    method: str = ""
    percentage: str = ""
    model_code: str = ""


class ShortSale(Struct, frozen=True, kw_only=True):
    """SSHORT, for institutions: `slot` 1 the broker holds the shares, 2 they come from `location`."""

    slot: int = 0
    location: str = ""
    exempt_code: int = -1


class Clearing(Struct, frozen=True, kw_only=True):
    """Where an institution's order clears. An `intent` of "IB" is what an empty one means, and kept empty."""

    settling_firm: str = ""
    account: str = ""
    intent: str = ""
    open_close: str = ""
    origin: int = 0
    rule_80a: str = ""

    def __post_init__(self) -> None:
        if self.intent == "IB":
            force_setattr(self, "intent", "")


class SoftDollar(Struct, frozen=True, kw_only=True):
    """A soft dollar tier (`request_soft_dollar_tiers` names them)."""

    name: str
    value: str = ""


class Compliance(Struct, frozen=True, kw_only=True):
    """Who decided and who sent it, for MiFID II and CME rule 576; TWS does not say any of MiFID's again.

    `manual_order_time` is "yyyymmdd-hh:mm:ss" in UTC, `manual_order_indicator` 1 by hand, 0 by a program.
    """

    decision_maker: str = ""
    decision_algo: str = ""
    execution_trader: str = ""
    execution_algo: str = ""
    ext_operator: str = ""
    manual_order_time: str = ""
    manual_order_indicator: int | None = None
    customer_account: str = ""
    professional_customer: bool = False


class Combo(Struct, frozen=True, kw_only=True):
    """Of a combination: a price per leg (None: none for that leg), and how SMART routes it."""

    leg_prices: tuple[Decimal | None, ...] = ()
    routing: Tags = ()

    def __post_init__(self) -> None:
        prices = tuple(None if each is None else decimal(each, "leg_prices") for each in self.leg_prices)
        force_setattr(self, "leg_prices", prices)
        force_setattr(self, "routing", sorted_tags(self.routing, "routing"))


class Attached(Struct, frozen=True, kw_only=True):
    """Children that TWS makes by its own presets: the order id for each. From server version 218 on.

    They come as orders of their own; the parent's openOrder does not name them.
    """

    stop_loss_id: int | None = None
    profit_taker_id: int | None = None


class Attributes(Struct, frozen=True, kw_only=True):
    """All attributes that are no part of every order. Times are TWS's text (see `tws.ordertypes`)."""

    good_after_time: str = ""
    good_till_date: str = ""
    duration_s: int | None = None
    active_start_time: str = ""
    active_stop_time: str = ""
    trigger_method: int = 0
    all_or_none: bool = False
    min_quantity: int | None = None
    display_size: int | None = None
    hidden: bool = False
    block_order: bool = False
    sweep_to_fill: bool = False
    cash_quantity: Decimal | None = None
    discretionary_amount: Decimal | None = None
    discretionary_up_to_limit_price: bool = False
    percent_offset: Decimal | None = None
    limit_price_offset: Decimal | None = None
    override_percentage_constraints: bool = False
    not_held: bool = False
    opt_out_smart_routing: bool = False
    randomize_size: bool = False
    randomize_price: bool = False
    auction_strategy: int = 0
    use_price_management: bool | None = None
    post_to_ats: int | None = None
    include_overnight: bool = False
    imbalance_only: bool = False
    post_only: bool = False
    allow_pre_open: bool = False
    ignore_open_auction: bool = False
    route_marketable_to_bbo: bool | None = None
    seek_price_improvement: bool | None = None
    deactivate: bool = False
    auto_cancel_parent: bool = False
    is_oms_container: bool = False
    solicited: bool = False
    what_if_type: int | None = None
    advanced_error_override: str = ""
    bond_accrued_interest: str = ""
    misc_options: Tags = ()
    conditions: Conditions | None = None
    algo: Algo | None = None
    scale: Scale | None = None
    hedge: Hedge | None = None
    volatility: Volatility | None = None
    delta_neutral: DeltaNeutral | None = None
    reference: Reference | None = None
    benchmark: Benchmark | None = None
    peg_offsets: PegOffsets | None = None
    adjusted: Adjusted | None = None
    combo: Combo | None = None
    attached: Attached | None = None
    allocation: Allocation | None = None
    short_sale: ShortSale | None = None
    clearing: Clearing | None = None
    soft_dollar: SoftDollar | None = None
    compliance: Compliance | None = None

    def __post_init__(self) -> None:
        _exact(self, "cash_quantity", "discretionary_amount", "percent_offset", "limit_price_offset")
        if self.misc_options:
            force_setattr(self, "misc_options", sorted_tags(self.misc_options, "misc_options"))
