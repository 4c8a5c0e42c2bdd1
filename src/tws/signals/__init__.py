"""Where signals come from besides bars: a file to replay, a Python function."""

from __future__ import annotations

from tws.signals.file import FileSignals, read_signals
from tws.signals.function import FunctionSignals

__all__ = ["FileSignals", "FunctionSignals", "read_signals"]
