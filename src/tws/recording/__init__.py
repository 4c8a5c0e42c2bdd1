"""A session between any client and any TWS as a file, and that file served to a client again.

`file` is the format, `redact` takes accounts and names out, `proxy` stands between client and TWS and
writes, `replay` plays TWS from a file and notes where the client departs from it. It needs no simulator:
what it serves is what some TWS once said.
"""

from __future__ import annotations

from tws.recording.file import Frame, Mark, Recording, read
from tws.recording.proxy import Proxy, ProxyOptions
from tws.recording.replay import Departure, Replay, ReplayOptions

__all__ = [
    "Departure",
    "Frame",
    "Mark",
    "Proxy",
    "ProxyOptions",
    "Recording",
    "Replay",
    "ReplayOptions",
    "read",
]
