"""The link to a TWS or IB Gateway: the one package that imports the official client. See
docs/design/connection.md.

facade      TWSConnection: the public face
families    what can be asked and what is answered, family by family
sync        SyncConnection: the same on a thread of its own
engine      one session after the other: connect by stages (attempt), route, end
keeper      the life over sessions: watch (vitals, watch), dial again, synchronise (resume), renew
events      what becomes of the link, and the table of its states; farms: those of IB
broker      what the broker has told of orders, executions and positions, merged
hours       whether a market is open
stages      causes and cures; one handshake at a time
link        one socket; wire: the present one, from any thread
pacing      TWS's limits, kept: what may leave when
callbacks   where a user's functions are called
router      the walk over received bytes; ticks: the usual ticks in place
answers     what each answer means; reading: the wire's messages into our model
subscriptions  what TWS feeds until it is cancelled
replies     questions on the wire and the futures that wait
streams     market data, merged and unmerged
lane        the fact lane
outbound    the only writer of frames that move money
guard       the live lock, and the built-in guard for whoever has no desk
official    the official client without its socket
translate   our model as its classes
"""

from __future__ import annotations

from tws.connection.broker import BrokerBook, SeenOrder
from tws.connection.calls import MoneyCall, MoneyKind, SendState
from tws.connection.events import ConnectionEvent, ConnectionState, EventKind, Severity
from tws.connection.facade import TWSConnection
from tws.connection.keeper import Keep
from tws.connection.lane import FactLane
from tws.connection.outbound import Outbound
from tws.connection.pacing import PacingOptions, Waiting
from tws.connection.replies import Reply
from tws.connection.sending import Sending
from tws.connection.streams import Gap, QuoteStream, Stream, TickStream
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
