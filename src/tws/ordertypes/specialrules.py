"""What TWS refuses of the attributes that belong together: adjusted stops, volatility, scales, hedges,
short sales, conditions, combinations, venues. See `rule`."""

from __future__ import annotations

from decimal import Decimal

from tws.model import conditions as c
from tws.model.contract import Contract
from tws.model.fullorder import FullOrder
from tws.ordertypes.rule import TRIGGER_METHODS, Rule, no_instant, positive

__all__ = ["SPECIAL_RULES"]

_ADJUSTED = ("STP", "STP LMT", "TRAIL", "TRAIL LIMIT")
_DELTA_TYPES = {"MKT": False, "LMT": True, "REL": True}
"""Types of a delta hedge (380), and whether they need an auxiliary price (378, 379)."""
_RANGED = ("VOL", "PEG STK", "PEG BENCH")


# -- adjusted stops


def bad_adjusted_trigger(order: FullOrder, contract: Contract | None) -> str:
    adjusted = order.attributes.adjusted
    lacks = adjusted is not None and not positive(adjusted.trigger_price)
    return "the stop needs it to become another" if lacks else ""


def bad_adjusted_stop(order: FullOrder, contract: Contract | None) -> str:
    adjusted = order.attributes.adjusted
    lacks = adjusted is not None and not positive(adjusted.stop_price)
    return "the new stop needs its price" if lacks else ""


def bad_adjusted_limit(order: FullOrder, contract: Contract | None) -> str:
    adjusted = order.attributes.adjusted
    lacks = adjusted is not None and adjusted.order_type == "STP LMT" and adjusted.stop_limit_price is None
    return "STP LMT needs its limit" if lacks else ""


def bad_adjusted_trail(order: FullOrder, contract: Contract | None) -> str:
    adjusted = order.attributes.adjusted
    lacks = adjusted is not None and adjusted.order_type.startswith("TRAIL") and not positive(
        adjusted.trailing_amount)
    return "a TRAIL needs the amount by which it follows" if lacks else ""


def bad_adjusted_type(order: FullOrder, contract: Contract | None) -> str:
    adjusted = order.attributes.adjusted
    wrong = adjusted is not None and adjusted.order_type not in _ADJUSTED
    return f"a stop can't become {adjusted.order_type}" if wrong and adjusted is not None else ""


# -- volatility, references, delta-neutral hedges


def volatility_misplaced(order: FullOrder, contract: Contract | None) -> str:
    volatility, is_vol = order.attributes.volatility, order.order_type == "VOL"
    if is_vol:
        return "" if volatility and positive(volatility.volatility) else "VOL needs one above zero"
    return f"{order.order_type} takes none" if volatility is not None else ""


def bad_volatility_type(order: FullOrder, contract: Contract | None) -> str:
    volatility = order.attributes.volatility
    wrong = volatility is not None and volatility.type not in (None, 1, 2)
    return "it is neither 1 (daily) nor 2 (annual)" if wrong else ""


def bad_reference_price_type(order: FullOrder, contract: Contract | None) -> str:
    volatility = order.attributes.volatility
    if volatility is None or volatility.reference_price_type in (1, 2):
        return ""
    needs = volatility.continuous_update or volatility.reference_price_type is not None
    return "a VOL that follows its stock needs 1 (middle) or 2 (bid or ask)" if needs else ""


def range_misplaced(order: FullOrder, contract: Contract | None) -> str:
    found = order.attributes.reference
    ranged = found is not None and (found.range_lower is not None or found.range_upper is not None)
    return f"{order.order_type} takes none" if ranged and order.order_type not in _RANGED else ""


def range_upside_down(order: FullOrder, contract: Contract | None) -> str:
    found = order.attributes.reference
    if found is None or found.range_lower is None or found.range_upper is None:
        return ""
    return "" if found.range_lower < found.range_upper else f"{found.range_lower} is not below it"


def negative_range(order: FullOrder, contract: Contract | None) -> str:
    found = order.attributes.reference
    bounds = () if found is None else (found.range_lower, found.range_upper)
    return "it is negative" if any(bound is not None and bound < 0 for bound in bounds) else ""


def bad_delta(order: FullOrder, contract: Contract | None) -> str:
    if order.order_type != "PEG STK":
        return ""
    found = order.attributes.reference
    delta = None if found is None else found.delta
    return "" if delta is not None and 1 <= delta <= 100 else f"PEG STK needs 1 to 100, not {delta}"


def bad_delta_hedge_type(order: FullOrder, contract: Contract | None) -> str:
    hedge = order.attributes.delta_neutral
    wrong = hedge is not None and hedge.order_type not in _DELTA_TYPES
    return "limit, market and relative hedge a delta, no other type" if wrong else ""


def bad_delta_hedge_price(order: FullOrder, contract: Contract | None) -> str:
    hedge = order.attributes.delta_neutral
    if hedge is None or hedge.order_type not in _DELTA_TYPES:
        return ""
    needs = _DELTA_TYPES[hedge.order_type]
    if (hedge.aux_price is not None) is needs:
        return ""
    return f"{hedge.order_type} {'needs one' if needs else 'takes none'}"


# -- scales


def bad_scale_increment(order: FullOrder, contract: Contract | None) -> str:
    scale = order.attributes.scale
    return "" if scale is None or scale.table or positive(scale.price_increment) else "it must be above zero"


def bad_scale_first(order: FullOrder, contract: Contract | None) -> str:
    scale = order.attributes.scale
    lacks = scale is not None and not scale.table and not positive(scale.init_level_size)
    return "the first piece has no size" if lacks else ""


def bad_scale_next(order: FullOrder, contract: Contract | None) -> str:
    scale = order.attributes.scale
    wrong = scale is not None and scale.subs_level_size is not None and scale.subs_level_size <= 0
    return "the pieces after the first have no size" if wrong else ""


def bad_scale_profit(order: FullOrder, contract: Contract | None) -> str:
    scale = order.attributes.scale
    wrong = scale is not None and scale.profit_offset is not None and not positive(scale.profit_offset)
    return "it must be above zero" if wrong else ""


def scale_reset_without_profit(order: FullOrder, contract: Contract | None) -> str:
    scale = order.attributes.scale
    lacks = scale is not None and scale.auto_reset and scale.profit_offset is None
    return "to restore a piece after its profit was taken needs one" if lacks else ""


def scale_half_adjusted(order: FullOrder, contract: Contract | None) -> str:
    scale = order.attributes.scale
    if scale is None or (scale.price_adjust_value is None) is (scale.price_adjust_interval_s is None):
        return ""
    return "the amount by which the price moves needs an interval, and the interval the amount"


# -- hedges, short sales, attached orders


def bad_hedge_type(order: FullOrder, contract: Contract | None) -> str:
    hedge = order.attributes.hedge
    return f"{hedge.type!r} is none of D, B, F, P" if hedge and hedge.type not in ("D", "B", "F", "P") else ""


def bad_hedge_param(order: FullOrder, contract: Contract | None) -> str:
    hedge = order.attributes.hedge
    if hedge is None or hedge.type not in ("B", "P"):
        return ""
    number = hedge.param.rpartition("=")[2]
    return "" if number.replace(".", "", 1).lstrip("-").isdecimal() else f"{hedge.param!r} is no number"


def hedge_without_parent(order: FullOrder, contract: Contract | None) -> str:
    lacks = order.attributes.hedge is not None and not order.parent_id
    return "a hedge is the child of what it hedges" if lacks else ""


def fx_hedge_with_size(order: FullOrder, contract: Contract | None) -> str:
    hedge = order.attributes.hedge
    sized = hedge is not None and hedge.type == "F" and order.quantity
    return "TWS reckons the size of a currency hedge" if sized else ""


def hedge_max_misplaced(order: FullOrder, contract: Contract | None) -> str:
    hedge = order.attributes.hedge
    wrong = hedge is not None and hedge.max_size is not None and hedge.type != "B"
    return "it caps a beta hedge alone" if wrong else ""


def bad_short_slot(order: FullOrder, contract: Contract | None) -> str:
    short = order.attributes.short_sale
    return "" if short is None or short.slot in (1, 2) else f"{short.slot} is neither 1 nor 2"


def short_location(order: FullOrder, contract: Contract | None) -> str:
    short = order.attributes.short_sale
    if short is None or short.slot not in (1, 2) or bool(short.location) is (short.slot == 2):
        return ""
    return "slot 2 needs it" if short.slot == 2 else "slot 1 takes none"


def two_deciders(order: FullOrder, contract: Contract | None) -> str:
    found = order.attributes.compliance
    return "decision_maker decided already" if found and found.decision_maker and found.decision_algo else ""


# -- pegs of IBKRATS


def offsets_misplaced(order: FullOrder, contract: Contract | None) -> str:
    offsets, kind = order.attributes.peg_offsets, order.order_type
    if offsets is None or kind in ("PEG BEST", "PEGBEST"):
        return ""
    compete = offsets.up_to_mid or offsets.compete_offset is not None or offsets.min_compete_size is not None
    mid = offsets.mid_offset_at_whole is not None or offsets.mid_offset_at_half is not None
    wrong = compete or (mid and kind not in ("PEG MID", "PEGMID"))
    return f"{kind} takes none of them" if wrong else ""


def offsets_off_the_cent(order: FullOrder, contract: Contract | None) -> str:
    offsets = order.attributes.peg_offsets
    if offsets is None:
        return ""
    whole, half = offsets.mid_offset_at_whole, offsets.mid_offset_at_half
    if whole is not None and whole % Decimal("0.01"):
        return f"mid_offset_at_whole is {whole}: whole cents, please"
    if half is not None and half % Decimal("0.01") != Decimal("0.005"):
        return f"mid_offset_at_half is {half}: half a cent beside the whole ones, please"
    return ""


# -- conditions


def incomplete_condition(order: FullOrder, contract: Contract | None) -> str:
    for term in () if order.attributes.conditions is None else order.attributes.conditions.terms:
        match term:
            case c.PriceCondition() | c.VolumeCondition() | c.PercentChangeCondition():
                if not (term.con_id > 0 and term.exchange):
                    return "its contract needs con_id and exchange"
            case c.ExecutionCondition():
                if not (term.symbol and term.sec_type and term.exchange):
                    return "an execution needs symbol, sec_type and exchange"
    return ""


def condition_time(order: FullOrder, contract: Contract | None) -> str:
    for term in () if order.attributes.conditions is None else order.attributes.conditions.terms:
        if isinstance(term, c.TimeCondition) and (fault := no_instant(term.time or "empty")):
            return fault
    return ""


def condition_trigger(order: FullOrder, contract: Contract | None) -> str:
    for term in () if order.attributes.conditions is None else order.attributes.conditions.terms:
        if isinstance(term, c.PriceCondition) and term.trigger_method not in TRIGGER_METHODS:
            return f"trigger_method {term.trigger_method} is none of {TRIGGER_METHODS}"
    return ""


# -- what the contract must be


def bag_without_legs(order: FullOrder, contract: Contract | None) -> str:
    lacks = contract is not None and contract.sec_type == "BAG" and not contract.combo_legs
    return "a combination needs its legs" if lacks else ""


def prices_for_other_legs(order: FullOrder, contract: Contract | None) -> str:
    combo = order.attributes.combo
    if contract is None or combo is None or not combo.leg_prices:
        return ""
    legs, prices = len(contract.combo_legs), len(combo.leg_prices)
    return "" if legs == prices else f"{prices} prices for {legs} legs"


def prices_of_many_legs(order: FullOrder, contract: Contract | None) -> str:
    combo = order.attributes.combo
    if contract is None or combo is None or not combo.leg_prices or len(contract.combo_legs) <= 2:
        return ""
    return f"{len(contract.combo_legs)} legs have one price together"


def prices_of_tied_legs(order: FullOrder, contract: Contract | None) -> str:
    combo = order.attributes.combo
    if contract is None or combo is None or not combo.leg_prices or _is_loose(order):
        return ""
    return "legs that are guaranteed to fill together have one price together"


def loose_legs(order: FullOrder, contract: Contract | None) -> str:
    many = contract is not None and len(contract.combo_legs) > 2
    return "a combination of more than two legs is guaranteed" if _is_loose(order) and many else ""


def tied_legs(order: FullOrder, contract: Contract | None) -> str:
    two = contract is not None and len(contract.combo_legs) == 2
    wrong = two and order.order_type in ("LMT + MKT", "REL + MKT", "REL + LMT") and not _is_loose(order)
    return f"two legs of {order.order_type} are never guaranteed" if wrong else ""


def _is_loose(order: FullOrder) -> bool:
    combo = order.attributes.combo
    return combo is not None and dict(combo.routing).get("NonGuaranteed") == "1"


def ats_held(order: FullOrder, contract: Contract | None) -> str:
    wrong = contract is not None and contract.exchange == "IBKRATS" and not order.attributes.not_held
    return "an order at IBKRATS is not held" if wrong else ""


def midprice_elsewhere(order: FullOrder, contract: Contract | None) -> str:
    wrong = contract is not None and order.order_type == "MIDPRICE" and contract.exchange not in ("SMART", "")
    return f"MIDPRICE goes through SMART alone, not {contract.exchange}" if wrong and contract else ""


SPECIAL_RULES: tuple[Rule, ...] = (
    Rule(fault=bad_adjusted_type, attribute="adjusted.order_type", source="fields",
         cure="Take STP, STP LMT, TRAIL or TRAIL LIMIT."),
    Rule(fault=bad_adjusted_trigger, attribute="adjusted.trigger_price", code=361, source="codes",
         cure="State it."),
    Rule(fault=bad_adjusted_stop, attribute="adjusted.stop_price", code=362, source="codes",
         cure="State it."),
    Rule(fault=bad_adjusted_limit, attribute="adjusted.stop_limit_price", code=363, source="codes",
         cure="State it."),
    Rule(fault=bad_adjusted_trail, attribute="adjusted.trailing_amount", code=364, source="codes",
         cure="State it."),
    Rule(fault=volatility_misplaced, attribute="volatility", code=371, source="codes",
         cure="A VOL states its volatility in percent, other types state none."),
    Rule(fault=bad_volatility_type, attribute="volatility.type", code=367, source="codes",
         cure="State 1 or 2."),
    Rule(fault=bad_reference_price_type, attribute="volatility.reference_price_type", code=368,
         source="codes", cure="State 1 or 2."),
    Rule(fault=range_misplaced, attribute="reference.range_lower", code=373, source="codes",
         cure="Leave it unset: VOL, PEG STK and PEG BENCH know it."),
    Rule(fault=negative_range, attribute="reference.range_lower", code=375, source="codes",
         cure="State prices from zero up."),
    Rule(fault=range_upside_down, attribute="reference.range_upper", code=374, source="codes",
         cure="State the lower price first."),
    Rule(fault=bad_delta, attribute="reference.delta", code=341, source="codes",
         cure="State it as an absolute number."),
    Rule(fault=bad_delta_hedge_type, attribute="delta_neutral.order_type", code=380, source="codes",
         cure="Take LMT, MKT or REL."),
    Rule(fault=bad_delta_hedge_price, attribute="delta_neutral.aux_price", code=378, source="codes",
         cure="LMT and REL state it, MKT does not (379)."),
    Rule(fault=bad_scale_increment, attribute="scale.price_increment", code=408, source="codes",
         cure="State how far the pieces lie apart."),
    Rule(fault=bad_scale_first, attribute="scale.init_level_size", code=419, source="codes",
         cure="State it."),
    Rule(fault=bad_scale_next, attribute="scale.subs_level_size", code=410, source="codes",
         cure="State it, or leave it unset."),
    Rule(fault=bad_scale_profit, attribute="scale.profit_offset", code=418, source="codes",
         cure="State how far the profit lies from the fill."),
    Rule(fault=scale_reset_without_profit, attribute="scale.profit_offset", code=446, source="codes",
         cure="State it, or do without auto_reset."),
    Rule(fault=scale_half_adjusted, attribute="scale.price_adjust_interval_s", code=447, source="codes",
         cure="State both, or none."),
    Rule(fault=bad_hedge_type, attribute="hedge.type", code=10007, source="codes",
         cure="D is delta, B beta, F currency, P pair."),
    Rule(fault=bad_hedge_param, attribute="hedge.param", code=10009, source="codes",
         cure="State the beta or the ratio (10008, 10009)."),
    Rule(fault=hedge_without_parent, attribute="parent_id", source="fields",
         cure="State the order id of what it hedges."),
    Rule(fault=fx_hedge_with_size, attribute="quantity", source="fields", cure="State 0."),
    Rule(fault=hedge_max_misplaced, attribute="hedge.max_size", source="fields", cure="Leave it unset."),
    Rule(fault=bad_short_slot, attribute="short_sale.slot", code=347, source="codes",
         cure="1: the broker holds the shares, 2: they come from elsewhere."),
    Rule(fault=short_location, attribute="short_sale.location", code=352, source="codes",
         cure="State where the shares come from with slot 2 alone (353)."),
    Rule(fault=two_deciders, attribute="compliance.decision_algo", source="fields",
         cure="State the person, or the algorithm."),
    Rule(fault=offsets_misplaced, attribute="peg_offsets", source="fields",
         cure="PEG BEST takes all of them, PEG MID those from the middle."),
    Rule(fault=offsets_off_the_cent, attribute="peg_offsets", source="fields",
         cure="State offsets that lie on the grid of the middle."),
    Rule(fault=incomplete_condition, attribute="conditions", code=147, source="codes",
         cure="Ask for the contract first (request_contract) and build the condition of it."),
    Rule(fault=condition_time, attribute="conditions", code=337, source="codes",
         cure='Write "20261201 15:59:00 US/Eastern", or "20261201-20:59:00" in UTC.'),
    Rule(fault=condition_trigger, attribute="conditions", code=146, source="codes",
         cure="0 is TWS's own choice, 1 to 4, 7 and 8 name what is watched."),
    Rule(fault=bag_without_legs, attribute="contract.combo_legs", code=314, source="codes",
         cure="Make the contract with combination()."),
    Rule(fault=prices_for_other_legs, attribute="combo.leg_prices", source="fields",
         cure="State one for each leg, None where it has none."),
    Rule(fault=prices_of_many_legs, attribute="combo.leg_prices", code=10058, source="fields",
         cure="State the price of the whole."),
    Rule(fault=prices_of_tied_legs, attribute="combo.leg_prices", code=10058, source="recorded",
         cure="Make it non_guaranteed() first."),
    Rule(fault=loose_legs, attribute="combo.routing", code=10002, source="fields",
         cure="Leave NonGuaranteed unset."),
    Rule(fault=tied_legs, attribute="combo.routing", code=10043, source="recorded",
         cure="Make it non_guaranteed()."),
    Rule(fault=ats_held, attribute="not_held", source="fields", cure="Set it, or take ats_limit()."),
    Rule(fault=midprice_elsewhere, attribute="contract.exchange", code=387, source="algos",
         cure="Route it to SMART."),
)
"""In the order in which they are tried."""
