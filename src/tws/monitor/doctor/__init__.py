"""Why a connection fails or would fail: stages in order, each with what it saw; causes with their cures.

    report.py      the values: Step, Finding, Report
    causes.py      every cause by its stable key, with the cure in TWS's own menus
    packages.py    which ibapi and protobuf would be imported, found without importing them
    listeners.py   the operating system's table of sockets: who listens, and who owns it
    examine.py     `diagnose`: runs the stages

The doctor never opens a bare socket (TWS-BEHAVIOUR.md A5): what it sends is a full handshake with startApi,
by `tws.connection`, closed cleanly. It places no order and changes nothing in TWS.
"""

from __future__ import annotations

from tws.monitor.doctor.report import Finding, Outcome, Report, Step

__all__ = ["Finding", "Outcome", "Report", "Step"]
