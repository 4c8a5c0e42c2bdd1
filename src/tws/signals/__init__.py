"""Where signals come from besides bars, under one interface (`Source`), driven together (`Sources`).

    opening.py   from a configuration to its sources
    source.py    what a source is: start, stop, take, health; its bounded outbox; a task that is kept alive
    hub.py       many sources as one, none able to stop another
    file.py      a file to replay; follow.py one that grows
    function.py  a Python function that hears bars
    worker.py    a thread that may hang
    http.py      the polled prediction API: pace.py how often, answer.py what an answer means
    webhook.py   a receiver that is posted to; receiving.py opens its port (the extra `webhook`)
    demo_api.py  such an API to try things out on; demo_server.py serves it
"""

from __future__ import annotations

from tws.signals.file import FileSignals, FileSource, read_signals
from tws.signals.follow import FollowedSignals
from tws.signals.function import FunctionSignals, FunctionSource
from tws.signals.hub import Sources, Taken
from tws.signals.source import Health, Heard, Source

__all__ = [
    "FileSignals",
    "FileSource",
    "FollowedSignals",
    "FunctionSignals",
    "FunctionSource",
    "Health",
    "Heard",
    "Source",
    "Sources",
    "Taken",
    "read_signals",
]
