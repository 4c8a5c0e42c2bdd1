"""The causes as tables, one module for each part of the way; `tws.monitor.doctor.causes` joins them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Cause"]


class Cause(NamedTuple):
    """What is wrong, and what to do. `warns`: TWS works all the same, so that this alone is no failure."""

    cause: str
    cure: str
    warns: bool = False
