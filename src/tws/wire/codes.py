"""What TWS's codes mean, by whom they are about.

A code alone decides nothing: 110 kills a new order and spares one that was to be changed.

    effect(110, Context.CHANGE)      # Effect.REFUSES_CHANGE
    lookup(10349).text               # what TWS writes

A code that is not listed, or not in that context, is a QUESTION: warn and ask, never end anything by it
(invariant 4). Notices never end an order (INCIDENTS.md 10), refusals always end what awaits them (11).
`CATALOGUE.amended(...)` gives a catalogue with other effects, for configuration.

Confidence is that of TWS-BEHAVIOUR.md: H official or recorded, M reported, L one report or inferred. The
comments in the table name the sections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

__all__ = ["CATALOGUE", "Catalogue", "Code", "Context", "Effect", "effect", "is_client_code", "lookup"]


class Context(StrEnum):
    """What the id of the message belongs to, as its receiver knows it."""

    ORDER = "order"
    """An order that was placed and not yet acknowledged, or works and is not being changed."""
    CHANGE = "change"
    """A modification or cancellation of a live order that awaits its answer."""
    REQUEST = "request"
    """A question that ends with its answer."""
    STREAM = "stream"
    """A subscription."""
    LINK = "link"
    """Nothing: id -1 (or 2147483647)."""


class Effect(StrEnum):
    """What the code does to it."""

    NOTICE = "notice"
    """Nothing ends."""
    ENDS_REQUEST = "ends request"
    """There will be no (further) answer."""
    ENDS_STREAM = "ends stream"
    """The subscription is dead and must be renewed to come back."""
    REJECTS_ORDER = "rejects order"
    """The order never worked or works no more."""
    CANCELS_ORDER = "cancels order"
    """The order is cancelled; the status Cancelled usually came before (C2)."""
    REFUSES_CHANGE = "refuses change"
    """The modification or cancellation failed; the order is as it was before."""
    LINK = "link"
    """The session or TWS's own line to the broker changed."""
    QUESTION = "question"
    """Nobody knows: warn, and ask the broker."""


class Code(Struct, frozen=True):
    """One code. `effects` by context; `confidence` H, M, L, or ? for a code that is not listed."""

    code: int
    text: str
    confidence: str = "?"
    effects: Mapping[Context, Effect] = {}

    def effect(self, context: Context) -> Effect:
        """What the code does in this context."""
        return self.effects.get(context, Effect.QUESTION)

    @property
    def from_client(self) -> bool:
        """Our own client library said it, not TWS (A7)."""
        return is_client_code(self.code)


def is_client_code(code: int) -> bool:
    """501 to 593: never the broker's word; the call failed, and the outcome is unknown if a byte had left
    (A7).
    """
    return 501 <= code <= 593


class Catalogue(Mapping[int, Code]):
    """The codes by number."""

    def __init__(self, codes: Mapping[int, Code]) -> None:
        self._codes = dict(codes)

    def __getitem__(self, code: int) -> Code:
        return self._codes[code]

    def __iter__(self) -> Iterator[int]:
        return iter(self._codes)

    def __len__(self) -> int:
        return len(self._codes)

    def lookup(self, code: int) -> Code:
        """The code, or an unlisted one whose every effect is a QUESTION."""
        known = self._codes.get(code)
        if known is not None:
            return known
        return _client_code(code) if is_client_code(code) else Code(code, "not listed")

    def effect(self, code: int, context: Context) -> Effect:
        """What the code does in this context."""
        return self.lookup(code).effect(context)

    def amended(self, changes: Mapping[int, Mapping[Context, Effect]]) -> Catalogue:
        """A copy with these effects instead of, or in addition to, the listed ones."""
        codes = dict(self._codes)
        for number, effects in changes.items():
            old = self.lookup(number)
            codes[number] = Code(number, old.text, old.confidence, {**old.effects, **effects})
        return Catalogue(codes)


_O, _C, _R, _S, _L = Context.ORDER, Context.CHANGE, Context.REQUEST, Context.STREAM, Context.LINK

_EVERYWHERE_NOTICE = dict.fromkeys(Context, Effect.NOTICE)
_LINK = {_L: Effect.LINK}
_FARM = {_L: Effect.NOTICE}
_ASKED = {_R: Effect.ENDS_REQUEST, _S: Effect.ENDS_STREAM}
_ORDER = {_O: Effect.REJECTS_ORDER, _C: Effect.REFUSES_CHANGE}
_CHANGE = {_C: Effect.REFUSES_CHANGE}
_ORDER_NOTICE = {_O: Effect.NOTICE, _C: Effect.NOTICE}
_DATA_NOTICE = {_R: Effect.NOTICE, _S: Effect.NOTICE}
_CANCELLED = {_O: Effect.CANCELS_ORDER, _C: Effect.CANCELS_ORDER}


def _client_code(code: int) -> Code:
    return Code(code, "our own client could not send or read", "H", _ASKED)


# number, confidence, effects, text as TWS writes it ("…" where it goes on)
_ROWS: tuple[tuple[int, str, Mapping[Context, Effect], str], ...] = (
    # the link (A6, A3)
    (1100, "H", _LINK, "Connectivity between IBKR and Trader Workstation has been lost."),
    (1101, "H", _LINK, "Connectivity between IBKR and Trader Workstation has been restored - data lost."),
    (1102, "H", _LINK,
     "Connectivity between IBKR and Trader Workstation has been restored - data maintained. …"),
    (1300, "H", _LINK, "TWS socket port has been reset and this connection is being dropped. …"),
    (326, "H", _LINK, "Unable to connect as the client id is already in use. Retry with a unique client id."),
    (2110, "H", _LINK, "Connectivity between TWS and server is broken. It will be restored automatically."),
    (2103, "H", _FARM, "Market data farm connection is broken:…"),
    (2104, "H", _FARM, "Market data farm connection is OK:…"),
    (2105, "H", _FARM, "HMDS data farm connection is broken:…"),
    (2106, "H", _FARM, "HMDS data farm connection is OK:…"),
    (2107, "H", _FARM, "HMDS data farm connection is inactive but should be available upon demand.…"),
    (2108, "H", _FARM, "Market data farm connection is inactive but should be available upon demand.…"),
    (2119, "H", _FARM, "Market data farm is connecting:…"),
    (2157, "H", _FARM, "Sec-def data farm connection is broken:…"),
    (2158, "H", _FARM, "Sec-def data farm connection is OK:…"),
    # pace (B)
    (0, "L", _EVERYWHERE_NOTICE, "Warning: Approaching max rate of 50 messages per second (…)"),
    (100, "H", {**_ASKED, _L: Effect.NOTICE}, "Max rate of messages per second has been exceeded:…"),
    # any request (A7, A3)
    (320, "M", {**_ASKED, **_ORDER}, "Error reading request.…"),
    (321, "M", {**_ASKED, **_ORDER, _L: Effect.ENDS_REQUEST}, "Error validating request.…"),
    (322, "M", _ASKED, "Error processing request.…"),
    (323, "M", _ASKED, "Server error when …"),
    (327, "H", {_R: Effect.ENDS_REQUEST, _L: Effect.ENDS_REQUEST},
     "Only API connections with clientId set to 0 can set the auto bind TWS orders property."),
    # data requests and streams (A8, B)
    (101, "H", _ASKED, "Max number of tickers has been reached"),
    (102, "H", {_R: Effect.ENDS_REQUEST}, "Duplicate ticker ID."),
    (385, "H", {_R: Effect.ENDS_REQUEST}, "Duplicate ticker ID for API scanner subscription."),
    (386, "H", {_R: Effect.ENDS_REQUEST}, "Duplicate ticker ID for API historical data query."),
    (162, "H", _ASKED, "Historical Market Data Service error message:…"),
    (165, "M", _DATA_NOTICE, "Historical Market Data Service query message:…"),
    (300, "H", _ASKED, "Can't find EId with tickerId:…"),
    (366, "H", _ASKED, "No historical data query found for ticker id:…"),
    (309, "H", _ASKED, "Max number (3) of market depth requests has been reached…"),
    (317, "H", _DATA_NOTICE, "Market depth data has been RESET. …"),
    (354, "H", _ASKED, "Requested market data is not subscribed.Delayed market data is available.…"),
    (420, "H", _ASKED, "Invalid Real-time Query:…"),
    (430, "M", _ASKED, "The fundamentals data for the security specified is not available.…"),
    (492, "M", _ASKED, "Scanner subscription is not permitted.…"),
    (10089, "M", _ASKED, "Requested market data requires additional subscription for API.…"),
    (10090, "M", _DATA_NOTICE, "Part of requested market data is not subscribed.…"),
    (10167, "H", _DATA_NOTICE, "Requested market data is not subscribed. Displaying delayed market data."),
    (10168, "H", _ASKED, "Requested market data is not subscribed. Delayed market data is not enabled."),
    (10186, "M", _ASKED, "Requested market data is not subscribed. Delayed market data is not enabled."),
    (10187, "M", _ASKED, "Failed to request historical ticks:…"),
    (10189, "M", _ASKED, "Failed to request tick-by-tick data.…"),
    (10190, "H", _ASKED, "Max number of tick-by-tick requests has been reached"),
    (10182, "M", _ASKED, "Failed to request live updates (disconnected)."),
    (10197, "H", {_R: Effect.ENDS_REQUEST, _S: Effect.QUESTION},
     "No market data during competing live session"),
    (10225, "M", _ASKED, "Bust event occurred, current subscription is deactivated. …"),
    (10285, "M", _ASKED, "Your API version does not support fractional size rules. …"),
    (10299, "M", _DATA_NOTICE, "Expected what to show is …"),
    (2100, "H", {_R: Effect.ENDS_REQUEST, _S: Effect.ENDS_STREAM, _L: Effect.NOTICE},
     "API client has been unsubscribed from account data."),
    (2101, "M", {**_ASKED, _L: Effect.NOTICE},
     "Unable to subscribe to account as the following clients are subscribed …"),
    # contracts and permissions: final for whoever asked (INCIDENTS.md 11)
    (200, "H", {**_ASKED, **_ORDER}, "No security definition has been found for the request"),
    (460, "M", {**_ASKED, **_ORDER}, "No trading permissions."),
    # orders (C2, C3)
    (103, "H", _ORDER, "Duplicate order id"),
    (104, "H", _CHANGE, "Can't modify a filled order."),
    (105, "H", _CHANGE, "Order being modified does not match original order."),
    (110, "H", _ORDER, "The price does not conform to the minimum price variation for this contract."),
    (135, "H", _CHANGE, "Can't find order with id =…"),
    (136, "H", _CHANGE, "This order cannot be cancelled."),
    (161, "H", _CHANGE, "Cancel attempted when order is not in a cancellable state. Order permId =…"),
    (201, "H", {_O: Effect.REJECTS_ORDER}, "Order rejected - reason:…"),
    (202, "H", _CANCELLED, "Order Canceled - reason:…"),
    (399, "H", _ORDER_NOTICE, "Order Message:\n…"),
    (404, "H", _ORDER_NOTICE, "Shares for this order are not immediately available for short sale. …"),
    (413, "M", _ORDER, "What-if order should be sent with transmit flag set to true."),
    (2102, "H", _CHANGE, "Unable to modify this order as it is still being processed."),
    (2109, "H", _ORDER_NOTICE, 'Order Event Warning: Attribute "Outside Regular Trading Hours" is ignored …'),
    (10006, "H", _ORDER, "Missing parent order."),
    (10147, "H", _CHANGE, "OrderId … that needs to be cancelled is not found."),
    (10148, "H", _CHANGE, "OrderId … that needs to be cancelled cannot be cancelled, state: …"),
    (10268, "H", _ORDER, "The 'EtradeOnly' order attribute is not supported."),
    (10269, "H", _ORDER, "The 'FirmQuoteOnly' order attribute is not supported."),
    (10270, "H", _ORDER, "The 'NbboPriceCap' order attribute is not supported."),
    (10349, "H", _ORDER_NOTICE, "Order TIF was set to DAY based on order preset."),
    # our own client about the link (A7)
    (501, "H", {**_ASKED, _L: Effect.NOTICE}, "Already connected."),
    (502, "H", {**_ASKED, _L: Effect.LINK}, "Couldn't connect to TWS. …"),
    (504, "H", {**_ASKED, _L: Effect.LINK}, "Not connected"),
    (507, "H", {**_ASKED, _L: Effect.LINK}, "Bad message length"),
    (509, "H", {**_ASKED, _L: Effect.LINK}, "Exception caught while reading socket"),
)

CATALOGUE = Catalogue({row[0]: Code(row[0], row[3], row[1], row[2]) for row in _ROWS})
"""The codes that are known."""


def lookup(code: int) -> Code:
    """The code of the standard catalogue; one that is not listed has QUESTION for every context."""
    return CATALOGUE.lookup(code)


def effect(code: int, context: Context) -> Effect:
    """What a code does in a context, by the standard catalogue."""
    return CATALOGUE.effect(code, context)
