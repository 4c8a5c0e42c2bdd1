"""The link to a TWS or IB Gateway: the one package that imports the official client. See
docs/design/connection.md.

facade     TWSConnection: the public face; sync, twins: the same for synchronous programs, on a thread
engine     one session after the other: dial, route, end
dialling   how a session comes about, and where its bytes go
keeping    the life over sessions: watched, dialled again, synchronised, told
families   what can be asked and what is answered, family by family
hearing    from received bytes to facts, answers and ticks
streaming  what TWS feeds until it is cancelled
ordering   what may leave that moves money
encoding   the official client, which encodes
pacing     TWS's limits, kept: what may leave when
lane       the fact lane; ids: who gives out ids; callbacks: where a user's functions are called
"""

from __future__ import annotations

from tws.connection.facade import TWSConnection
from tws.connection.hearing.replies import Reply
from tws.connection.keeping.broker import BrokerBook, SeenOrder
from tws.connection.keeping.events import ConnectionEvent, ConnectionState, EventKind, Severity
from tws.connection.keeping.keeper import Keep
from tws.connection.lane import FactLane
from tws.connection.ordering.calls import MoneyCall, MoneyKind, SendState
from tws.connection.ordering.outbound import Outbound
from tws.connection.ordering.sending import Sending
from tws.connection.pacing import PacingOptions, Waiting
from tws.connection.streaming.streams import Gap, QuoteStream, Stream, TickStream
from tws.connection.sync import SyncConnection

__all__ = [
    "BrokerBook",
    "ConnectionEvent",
    "ConnectionState",
    "EventKind",
    "FactLane",
    "Gap",
    "Keep",
    "MoneyCall",
    "MoneyKind",
    "Outbound",
    "PacingOptions",
    "QuoteStream",
    "Reply",
    "SeenOrder",
    "SendState",
    "Sending",
    "Severity",
    "Stream",
    "SyncConnection",
    "TWSConnection",
    "TickStream",
    "Waiting",
]
