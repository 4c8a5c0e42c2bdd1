"""What TWS knows about symbols, exchanges and option chains, beside the contracts themselves."""

from __future__ import annotations

from msgspec import Struct

from tws.model.contract import Contract

__all__ = [
    "DepthExchange",
    "DisplayGroup",
    "FamilyCode",
    "OptionChain",
    "SmartComponent",
    "SoftDollarTier",
    "SymbolMatch",
]


class SymbolMatch(Struct, frozen=True, kw_only=True):
    """A contract whose symbol or name resembles a pattern (answer 79).

    `derivative_types` are the security types that stand on it, such as "OPT"; `description` is the
    company's name where the server states it (version 176 on).
    """

    contract: Contract
    derivative_types: tuple[str, ...] = ()
    description: str = ""


class OptionChain(Struct, frozen=True, kw_only=True):
    """The options on one underlying at one exchange and of one trading class (answer 75).

    `expirations` are yyyyMMdd, ascending; `strikes` prices in the option's currency, ascending. Not every
    strike exists at every expiration: ask `request_option_contracts` which contracts do. `sec_type` is
    "OPT", or "FOP" when the underlying is a future.
    """

    underlying: Contract
    under_con_id: int
    exchange: str
    trading_class: str
    multiplier: str
    expirations: tuple[str, ...] = ()
    strikes: tuple[float, ...] = ()
    sec_type: str = "OPT"


class SmartComponent(Struct, frozen=True, kw_only=True):
    """One exchange behind SMART: its letter in quotes, and its bit in the masks (answer 82)."""

    bit: int
    exchange: str
    letter: str


class DepthExchange(Struct, frozen=True, kw_only=True):
    """An exchange with market depth (answer 80); `service` "Deep2" names who quotes, "Deep" does not.

    `group` joins exchanges that are shown as one, None where TWS states none.
    """

    exchange: str
    sec_type: str
    listing_exchange: str = ""
    service: str = ""
    group: int | None = None


class DisplayGroup(Struct, frozen=True, kw_only=True):
    """What the windows of one colour in TWS show (answer 68).

    A contract and its exchange; 0 and "" while they show none, or a combination (`text` "combo"). `text` is
    TWS's own word.
    """

    text: str
    con_id: int = 0
    exchange: str = ""


class FamilyCode(Struct, frozen=True, kw_only=True):
    """An account, "*" for all, and the family of accounts that it belongs to (answer 78)."""

    account: str
    family: str


class SoftDollarTier(Struct, frozen=True, kw_only=True):
    """A tier of soft dollars as the user defined it in TWS (answer 77)."""

    name: str
    value: str
    display_name: str
