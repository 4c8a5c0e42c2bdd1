"""Where signals come from besides bars: a file to replay, one that grows, a Python function."""

from __future__ import annotations

from tws.signals.file import FileSignals, read_signals
from tws.signals.follow import FollowedSignals
from tws.signals.function import FunctionSignals

__all__ = ["FileSignals", "FollowedSignals", "FunctionSignals", "read_signals"]
