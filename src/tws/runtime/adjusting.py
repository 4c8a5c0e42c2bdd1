"""`tws adjust`: what only a human knows of positions and cash, checked before the desk hears it.

Three wishes travel as values, over the control channel or into a journal without a trader: a position moved
without a fill (`AdjustWish`), the opening balance is as the broker states it (`OpeningWish`), a sum of cash
came or went (`CashWish`). `command_of` makes each the desk's command; the desk judges it, and `told` turns
its records into the answer, or raises what the desk said against it.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

from tws.desk import Adjust, AdjustCash, Command, ConfirmOpening, DeskState
from tws.desk.standing import opening_of
from tws.errors import ConfigError
from tws.model.contract import Contract, stock
from tws.model.instrument import Instrument
from tws.model.records import Adjusted, Alarmed, CashAdjusted, OpeningConfirmed, Record
from tws.positions import new_and_old
from tws.runtime.stopping import named

if TYPE_CHECKING:
    from tws.runtime.trader import Trader

__all__ = [
    "AdjustWish",
    "CashWish",
    "Now",
    "OpeningWish",
    "Told",
    "Wish",
    "adjust_now",
    "command_of",
    "contract_of",
    "described",
    "known_instrument",
    "plain",
    "said_against",
    "told",
]


class AdjustWish(Struct, frozen=True, kw_only=True, tag_field="what", tag="position"):
    """`symbol` is a symbol or a con_id. `quantity` is the signed change in shares or contracts, `price` what
    each is booked at; with `split` (new:old, such as 4:1) neither is read. The rest: see `tws.desk.Adjust`.
    """

    symbol: str
    operator: str
    reason: str
    quantity: str = ""
    price: str = "0"
    split: str = ""
    ours: bool = False
    account_too: bool = True
    paid: bool = True
    at_ns: int | None = None
    account: str = ""

    def to_command(self, account: str, instrument: Instrument) -> Adjust:
        """Raises ConfigError for what is no number, and for a missing name or reason."""
        operator, reason = named(self.operator, self.reason)
        ratio = _ratio(self.split) if self.split else None
        if ratio is not None and self.quantity:
            raise ConfigError("split", self.split, "and a quantity can't both be", "A split moves all shares")
        quantity = _number("quantity", self.quantity) if ratio is None else Decimal(0)
        price = _number("price", self.price)
        if ratio is None and not quantity:
            raise ConfigError("quantity", self.quantity, "moves nothing", "Give the signed change: -100")
        if price < 0 and instrument.contract.sec_type in ("STK", "OPT"):
            raise ConfigError("price", self.price, "below zero", "Give what a share is booked at")
        return Adjust(
            account=self.account or account,
            instrument=instrument,
            quantity=quantity,
            price=price,
            ratio=ratio,
            ours=self.ours or ratio is not None,  # a split leaves no share as it was
            account_too=self.account_too,
            paid=self.paid,
            effective_ns=self.at_ns,
            operator=operator,
            reason=reason,
        )


class OpeningWish(Struct, frozen=True, kw_only=True, tag_field="what", tag="opening"):
    """The opening balances of an account (empty: the one we trade) are what it held before us.

    `expected` is what the human counts on, signed quantity by symbol or con_id; empty: as the broker says.
    """

    operator: str
    reason: str
    expected: dict[str, str] = {}
    account: str = ""


class CashWish(Struct, frozen=True, kw_only=True, tag_field="what", tag="cash"):
    """A signed sum that no fill explains: interest, a dividend, a deposit, a settlement."""

    amount: str
    currency: str
    operator: str
    reason: str
    account: str = ""


Wish: TypeAlias = AdjustWish | OpeningWish | CashWish


class Now(Struct, frozen=True, kw_only=True):
    """How the books stand on one contract. `missing`: shares of ours that are not in the account."""

    account: str
    symbol: str
    con_id: int
    ours: Decimal
    booked: Decimal
    """The account's book."""
    stated: Decimal | None
    """The broker's word."""
    differs: bool
    missing: Decimal

    def __str__(self) -> str:
        stated = "nothing yet" if self.stated is None else f"{self.stated:f}"
        verdict = "these differ" if self.differs else "these agree"
        gone = f"; {self.missing:f} of ours are missing" if self.missing else ""
        return (
            f"{self.symbol} now: ours {self.ours:f}, the account's {self.booked:f}, "
            f"the broker states {stated}: {verdict}{gone}"
        )


class Told(Struct, frozen=True, kw_only=True):
    """What was booked: the kinds of records, a sentence, and how the books stand now."""

    records: tuple[str, ...]
    text: str
    now: tuple[Now, ...] = ()

    def lines(self) -> list[str]:
        return [self.text, *(f"  {each}" for each in self.now)]


def plain(answer: Told) -> dict[str, Any]:
    """The answer as plain values, for the channel and for --json."""
    return {**msgspec.to_builtins(answer), "lines": answer.lines()}


async def adjust_now(trader: Trader, wish: Wish) -> Told:
    """Put it to a running trader's desk. Raises ConfigError with the desk's words when it refuses, and what
    looking a contract up does.
    """
    state = trader.desk.state
    if isinstance(wish, AdjustWish):
        instrument = known_instrument(state, wish.symbol)
        if instrument is None:
            number = int(wish.symbol) if wish.symbol.isdigit() else 0
            asked = Contract(con_id=number, sec_type="") if number else stock(wish.symbol)
            instrument = await trader.instrument(asked)
        command: Command = wish.to_command(state.account, instrument)
    else:
        command = command_of(state, wish)
    return told(state, wish, await trader.ask(command))


def command_of(state: DeskState, wish: Wish) -> Command:
    """The desk's command, from what the books know alone. Raises ConfigError for what they don't."""
    if isinstance(wish, AdjustWish):
        instrument = known_instrument(state, wish.symbol)
        if instrument is None:
            raise ConfigError(
                "symbol", wish.symbol, "is unknown to this journal", "Start the trader, then adjust it there"
            )
        return wish.to_command(state.account, instrument)
    if isinstance(wish, OpeningWish):
        return _confirm(state, wish)
    operator, reason = named(wish.operator, wish.reason)
    amount = _number("cash", wish.amount)
    if not amount:
        raise ConfigError("cash", wish.amount, "moves nothing", "Give the signed sum: 12.50 or -3")
    account, currency = wish.account or state.account, wish.currency.upper()
    if f"{account}/{currency}" not in state.cash:
        known = ", ".join(key.rpartition("/")[2] for key in state.cash) or "none yet"
        raise ConfigError("currency", currency, "has no cash stated by the broker", f"Stated: {known}")
    return AdjustCash(account=account, currency=currency, amount=amount, operator=operator, reason=reason)


def _confirm(state: DeskState, wish: OpeningWish) -> ConfirmOpening:
    """Refused as long as what is expected is not what was read: that is the point of asking a human."""
    account = wish.account or state.account
    openings = {
        holding.contract: quantity
        for holding in state.account_book.holdings.values()
        if holding.account == account and (quantity := opening_of(holding))
    }
    read = ", ".join(f"{described(contract)} {quantity:f}" for contract, quantity in openings.items())
    if not wish.operator.strip() or not wish.reason.strip():
        cure = "Compare, then give --operator and --reason"
        raise ConfigError("opening", account, f"read from the broker: {read or 'nothing held'}", cure)
    left = dict(openings)
    for name, text in wish.expected.items():
        quantity = _number("opening", text)
        contract = _named(list(openings), name)
        if (openings[contract] if contract is not None else Decimal(0)) != quantity:
            found = "none" if contract is None else f"{openings[contract]:f}"
            raise ConfigError(
                "opening", f"{name}={text}", f"the broker's list had {found} before our first fill",
                "Find out which is right; what moved since is for: tws adjust SYMBOL --quantity",
            )  # fmt: skip
        if contract is not None:
            del left[contract]
    if wish.expected and left:
        rest = ", ".join(f"{described(contract)} {quantity:f}" for contract, quantity in left.items())
        raise ConfigError("opening", ", ".join(wish.expected), f"leaves out {rest}", "Name all, or none")
    operator, reason = named(wish.operator, wish.reason)
    return ConfirmOpening(account=account, operator=operator, reason=reason)


def told(state: DeskState, wish: Wish, records: list[Record]) -> Told:
    """The answer. Raises ConfigError with the desk's words when it booked nothing."""
    booked = next((r for r in records if isinstance(r, Adjusted | OpeningConfirmed | CashAdjusted)), None)
    if booked is None:
        raise ConfigError(str(wish.__struct_config__.tag), "", said_against(records), "Nothing was changed")
    names = tuple(type(each).__name__ for each in records if not isinstance(each, Alarmed))
    signed = f"({booked.operator}: {booked.reason})"
    if isinstance(booked, CashAdjusted):
        text = f"Adjusted the cash of {booked.account} by {booked.amount:f} {booked.currency} {signed}"
        return Told(records=names, text=text)
    if isinstance(booked, OpeningConfirmed):
        holdings = [each for each in state.account_book.holdings.values() if each.account == booked.account]
        shares = [f"{described(h.contract)} {q:f}" for h in holdings if (q := opening_of(h))]
        text = f"Confirmed the opening of {booked.account}: {', '.join(shares) or 'nothing held'} {signed}"
        return Told(records=names, text=text)
    text = f"Adjusted {described(booked.contract)} by {_how(booked)} {signed}"
    return Told(records=names, text=text, now=(_now(state, booked.account, booked.contract),))


def _how(booked: Adjusted) -> str:
    books = "both books" if booked.ours and booked.account_too else "our book alone" if booked.ours else (
        "the account's book alone")  # fmt: skip
    if booked.ratio is not None:
        new, old = new_and_old(booked.ratio)
        each = "each" if old == 1 else f"each {old:f}"
        return f"a split, {new:f} for {each}, in {books}"
    return f"{booked.quantity:f} at {booked.price:f}, in {books}"


def _now(state: DeskState, account: str, contract: Contract) -> Now:
    key = state.ours.key(account, contract.con_id)
    stated = state.stated.get(key)
    return Now(
        account=account, symbol=described(contract), con_id=contract.con_id,
        ours=state.ours.quantity(account, contract.con_id),
        booked=state.account_book.quantity(account, contract.con_id),
        stated=None if stated is None else stated.quantity, differs=key in state.differs,
        missing=state.shortfall.get(key, Decimal(0)),
    )  # fmt: skip


# -- which contract is meant


def known_instrument(state: DeskState, name: str) -> Instrument | None:
    """What the books know by this symbol or con_id, on its grid where a trade of ours knows that.

    Raises ConfigError where the symbol is no stock's alone: a number then says which contract is meant.
    """
    contract = contract_of(state, name)
    if contract is None:
        return None
    groups = reversed(state.groups.values())
    of_trade = (each.instrument for each in groups if each.contract.con_id == contract.con_id)
    return next(of_trade, None) or Instrument(contract=contract)


def contract_of(state: DeskState, name: str) -> Contract | None:
    """The contract that the books know by a symbol or a con_id. Raises ConfigError where it is not clear."""
    held = (each.contract for book in (state.account_book, state.ours) for each in book.holdings.values())
    rows = (each.contract for each in state.stated.values())
    trades = (each.contract for each in state.groups.values())
    known = {each.con_id: each for each in (*held, *rows, *trades) if each.con_id}
    return _named(list(known.values()), name)


def _named(contracts: list[Contract], name: str) -> Contract | None:
    """A stock by its symbol, anything by its con_id."""
    if name.isdigit():
        return next((each for each in contracts if each.con_id == int(name)), None)
    found = [each for each in contracts if each.symbol.upper() == name.upper()]
    stocks = [each for each in found if each.sec_type == "STK"]
    if len(stocks) == 1:
        return stocks[0]
    if found:
        known = "; ".join(f"{each.con_id} is {described(each)}" for each in found)
        raise ConfigError("symbol", name, f"is no one stock here: {known}", "Name it by its number")
    return None


def described(contract: Contract) -> str:
    """A contract for a human: SPY, or SPY 20261218 P 560 (OPT)."""
    if contract.sec_type in ("STK", ""):
        return contract.symbol or str(contract.con_id)
    strike = f"{contract.strike:g}" if contract.strike else ""
    parts = (contract.symbol, contract.last_trade_date, contract.right, strike, f"({contract.sec_type})")
    return " ".join(part for part in parts if part)


# -- numbers and refusals


def said_against(records: list[Record]) -> str:
    """Why the desk booked nothing, in its own words."""
    said = [record.text for record in records if isinstance(record, Alarmed)]
    return "; ".join(said) or "refused, as a moment ago"


def _ratio(text: str) -> Decimal:
    """4:1, 1:10 or 4 as new shares for each old one."""
    new, colon, old = text.partition(":")
    ratio = _number("split", new)
    under = _number("split", old) if colon else Decimal(1)
    if ratio <= 0 or under <= 0:
        raise ConfigError("split", text, "is no split", "Write new:old: 4:1, or 1:10 for a reverse one")
    return ratio / under


def _number(field: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ConfigError(field, text, "is no number", "Write digits, such as 100 or -12.5")
    return number
