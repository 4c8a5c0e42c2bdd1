"""The one tree of exceptions, each named by the reaction it asks for.

    TWSError
    ├── ConfigError          mend the configuration: field, value, cure
    ├── DataError            mend the file: path, line, reason
    ├── MissingExtraError    install the extra: the pip line is in the text
    ├── ConnectError         the dial failed: stage, cause, cure
    ├── LinkLostError        the link went while we waited: reconnect, then ask again
    ├── RequestError         TWS refused this request: code and text
    │   ├── NoContractError      200, nothing matches the description
    │   ├── AmbiguousContractError  200, several contracts match it
    │   ├── NoDataError          162, there was nothing at that time: ask for another
    │   └── NotSubscribedError   the login may not have these data: subscribe, or ask for delayed ones
    ├── RequestTimeoutError  no answer within the bound: nothing is known, ask again
    ├── BadOrderError        TWS would refuse this order: mend it: attribute, reason, cure, code
    ├── OrderDeniedError     a gate refused to let an order leave: limit, figure, bound
    ├── NotSentError         our own client refused the call: no byte left
    │   └── PacingError          TWS would refuse it and waiting won't help: end what is open first
    ├── JournalError         stop trading, see to the journal: path, kind, cause, cure
    ├── SafetyError          the latch or the lease stands against it: path, kind, cause, cure
    ├── LeftBehindError      close or cancel by hand what is named: we could not
    ├── SimulationError      a simulated run broke a rule of its world: mend the code it ran
    └── ProtocolError        the peer sent bytes that are no TWS message
        ├── FrameError           the length prefix is out of bounds, the session is lost
        ├── HandshakeError       the peer is no TWS, or speaks no version that we speak
        └── DecodeError          one message is unreadable, the session goes on

What is ordinary in trading is no exception: a denial inside the desk, an order of
unknown outcome, a timeout of an order are values (see `tws.model`).
"""

from __future__ import annotations

__all__ = [
    "AmbiguousContractError",
    "BadOrderError",
    "ConfigError",
    "ConnectError",
    "DataError",
    "DecodeError",
    "FrameError",
    "HandshakeError",
    "JournalError",
    "LeftBehindError",
    "LinkLostError",
    "MissingExtraError",
    "NoContractError",
    "NoDataError",
    "NotSentError",
    "NotSubscribedError",
    "OrderDeniedError",
    "PacingError",
    "ProtocolError",
    "RequestError",
    "RequestTimeoutError",
    "SafetyError",
    "SimulationError",
    "TWSError",
]


class TWSError(Exception):
    """The root: whoever catches it catches all that this package raises on purpose."""


class ConfigError(TWSError, ValueError):
    """A setting is wrong. `field`, `value` and `cure` say which, what it was and what to do; `line` of its
    file, 0 where that is not known.
    """

    def __init__(self, field: str, value: object, reason: str, cure: str, line: int = 0) -> None:
        told = repr(value)
        told = told if len(told) <= 300 else f"{told[:297]}..."  # a megabyte of it helps nobody to mend it
        where = f" (line {line})" if line else ""
        super().__init__(f"{field} = {told}{where}: {reason}. {cure}")
        self.field = field
        self.value = value
        self.reason = reason
        self.cure = cure
        self.line = line


class DataError(TWSError, ValueError):
    """A data file can't be read. `path`, `line` (1-based, the header is line 1; 0: none) and `reason`."""

    def __init__(self, path: object, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}" if line else f"{path}: {reason}")
        self.path = str(path)
        self.line = line
        self.reason = reason


class MissingExtraError(TWSError, ImportError):
    """An optional part is not installed; the text holds the pip line that installs it."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra [{extra}]: pip install 'tws-trading-framework[{extra}]'")
        self.feature = feature
        self.extra = extra


class ConnectError(TWSError, ConnectionError):
    """No session came about. `stage` says how far it got, `cause` why it ended, `cure` what to do."""

    def __init__(self, stage: str, cause: str, cure: str, code: int | None = None) -> None:
        super().__init__(f"{stage}: {cause}. {cure}")
        self.stage = stage
        self.cause = cause
        self.cure = cure
        self.code = code


class LinkLostError(TWSError, ConnectionError):
    """The link was lost before the answer came. The request's outcome is unknown."""


class RequestError(TWSError):
    """TWS refused a request. `code` and `text` are TWS's own words."""

    def __init__(self, code: int, text: str, request_id: int = -1) -> None:
        super().__init__(f"TWS error {code}: {text}")
        self.code = code
        self.text = text
        self.request_id = request_id


class NoContractError(RequestError):
    """Error 200: no security fits the description. Check symbol, type, exchange, currency."""


class AmbiguousContractError(RequestError):
    """Error 200: several securities fit. Add a conId, a primary exchange or a currency."""


class NoDataError(RequestError):
    """Error 162 that says so: no data at that time (a closed market, a contract that did not trade)."""


class NotSubscribedError(RequestError):
    """The login has no permission for these data (354, 10089, 10168, … or the words of 162 and others).

    Subscribe to them at IBKR, or ask for delayed data (`request_market_data_type`).
    """


class RequestTimeoutError(TWSError, TimeoutError):
    """No answer came within the bound. It says nothing about what TWS did."""


class BadOrderError(TWSError, ValueError):
    """An order that TWS would refuse, found before it is sent. `attribute` names what is wrong with it,
    `cure` what to do; `code` is the one that TWS would answer with, 0 where it has no code of its own.
    """

    def __init__(self, attribute: str, reason: str, cure: str, code: int = 0) -> None:
        said = f" (TWS would answer {code})" if code else ""
        super().__init__(f"{attribute}: {reason}{said}. {cure}")
        self.attribute = attribute
        self.reason = reason
        self.cure = cure
        self.code = code


class OrderDeniedError(TWSError):
    """A gate refused an order. `limit` names the limit, `figure` what was asked, `bound` what is allowed."""

    def __init__(self, limit: str, figure: object, bound: object, reason: str) -> None:
        super().__init__(f"denied by {limit}: {reason} (asked {figure}, bound {bound})")
        self.limit = limit
        self.figure = figure
        self.bound = bound
        self.reason = reason


class NotSentError(TWSError):
    """Our own client refused the call (codes 501 to 593). No byte left this process."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"not sent, client error {code}: {text}")
        self.code = code
        self.text = text


class PacingError(NotSentError):
    """A request beyond a limit of TWS that no waiting would cure. `code` is what TWS would have answered.

    `kind` names what was asked for, `figure` how many there are, `bound` how many there may be, `cure`
    what makes room.
    """

    def __init__(self, code: int, kind: str, figure: int, bound: int, cure: str) -> None:
        super().__init__(code, f"{kind}: there are {figure}, {bound} are allowed. {cure}")
        self.args = (f"not sent, TWS would answer {code}: {self.text}",)
        self.kind = kind
        self.figure = figure
        self.bound = bound
        self.cure = cure


class JournalError(TWSError):
    """The journal can't be opened, read or written: what can't be remembered must not be traded.

    `kind` is one word for programs (locked, full, foreign, corrupt, unwritable, backlog, closed,
    disk), `cause` and `cure` are for people, `sequence` is the row at fault where one is known.
    """

    def __init__(self, path: object, kind: str, cause: str, cure: str, sequence: int | None = None) -> None:
        super().__init__(f"journal {path}: {cause}. {cure}")
        self.path = str(path)
        self.kind = kind
        self.cause = cause
        self.cure = cure
        self.sequence = sequence


class SafetyError(TWSError):
    """The safety file refuses: another holds the lease, or the file can't be trusted.

    `kind` is one word for programs (held, damaged, foreign, size, busy, full, unwritable), `cause` and `cure`
    are for people.
    """

    def __init__(self, path: object, kind: str, cause: str, cure: str) -> None:
        super().__init__(f"safety file {path}: {cause}. {cure}")
        self.path = str(path)
        self.kind = kind
        self.cause = cause
        self.cure = cure


class LeftBehindError(TWSError):
    """Something of ours is still at the broker and could not be taken back; the text names it."""


class SimulationError(TWSError):
    """A run on virtual time went wrong (an exception nobody took, nothing left to run, a bound), or a running
    simulator refused a command.
    """


class ProtocolError(TWSError):
    """The peer broke the protocol."""


class FrameError(ProtocolError):
    """A length prefix is out of bounds: what follows can't be trusted, the session ends."""


class HandshakeError(ProtocolError):
    """The first bytes are not a TWS handshake, or no common version exists."""


class DecodeError(ProtocolError):
    """One message is unreadable. `payload` keeps its raw bytes for a report; the session goes on."""

    def __init__(self, reason: str, payload: bytes = b"") -> None:
        super().__init__(reason)
        self.payload = payload
