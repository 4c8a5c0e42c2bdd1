"""The link to a TWS or IB Gateway: the one package that imports the official client. See
docs/design/connection.md.

facade      TWSConnection: the public face
families    what can be asked and what is answered, family by family
sync        SyncConnection: the same on a thread of its own
engine      the life of a connection: connect by stages, route, end
stages      causes and cures; one handshake at a time
link        one socket
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

from tws.connection.calls import MoneyCall, MoneyKind, SendState
from tws.connection.facade import TWSConnection
from tws.connection.lane import FactLane
from tws.connection.outbound import Outbound, Sending
from tws.connection.replies import Reply
from tws.connection.streams import QuoteStream, TickStream
from tws.connection.sync import SyncConnection

__all__ = [
    "FactLane",
    "MoneyCall",
    "MoneyKind",
    "Outbound",
    "QuoteStream",
    "Reply",
    "SendState",
    "Sending",
    "SyncConnection",
    "TWSConnection",
    "TickStream",
]
