"""Never a violation of TWS's limits: each frame is offered to the `Pacer`, which lets it go, makes it wait or
refuses it.

    options  the limits, as one frozen value            budgets  windows and slots, and what a message counts
    kinds    what a frame asks of them                  books    the budgets of one login
    waiting  the queue, in lanes                        pacer    the one that decides

docs/design/pacing.md says which limit is kept how, and why none is ever broken.
"""

from __future__ import annotations

from tws.connection.pacing.options import PacingOptions
from tws.connection.pacing.pacer import Pacer, Verdict
from tws.connection.pacing.waiting import Waiting

__all__ = ["Pacer", "PacingOptions", "Verdict", "Waiting"]
