"""The link to a TWS or IB Gateway: the one package that imports the official client. See docs/design/connection.md."""

from __future__ import annotations

from tws.connection.facade import FactLane, Reply, TWSConnection
from tws.connection.outbound import Authority, MoneyCall, MoneyKind, Outbound, Sending, SendState
from tws.connection.streams import QuoteStream
from tws.connection.sync import SyncConnection

__all__ = ["Authority", "FactLane", "MoneyCall", "MoneyKind", "Outbound", "QuoteStream", "Reply", "SendState", "Sending",
           "SyncConnection", "TWSConnection"]
