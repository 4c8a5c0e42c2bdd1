"""Every cause that the doctor can name, by its stable key, with its cure.

The tables stand in `tables`, a module for each part of the way: the machine, the dial, the session, market
data, the settings. A cause marked `warns` leaves a TWS healthy: it works, and there is something to mend or
to know. Braces are filled by `finding`.
"""

from __future__ import annotations

from tws.monitor.doctor.report import Finding
from tws.monitor.doctor.tables import Cause
from tws.monitor.doctor.tables.data import DATA
from tws.monitor.doctor.tables.dial import DIAL
from tws.monitor.doctor.tables.machine import MACHINE
from tws.monitor.doctor.tables.session import SESSION
from tws.monitor.doctor.tables.settings import SETTINGS_SEEN

__all__ = ["CAUSES", "Cause", "finding"]

CAUSES: dict[str, Cause] = {**MACHINE, **DIAL, **SESSION, **DATA, **SETTINGS_SEEN}


def finding(key: str, stage: str, **facts: object) -> Finding:
    """The finding of a cause; `facts` fill its braces."""
    cause = CAUSES[key]
    return Finding(key, stage, cause.cause.format(**facts), cause.cure.format(**facts))
