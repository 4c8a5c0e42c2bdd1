"""A day of automated trading in one process: simulated TWS, real socket, real client, real desk.

options    what a demo is told
run        `run_demo`: start, trade the session, flatten, reconcile, report
lockstep   market time waits until every byte is read and nothing is runnable
robots     bars into signals into brackets, and the fate of each signal
reconcile  journal, desk and simulated broker, held against each other
report     what is told at the end
"""

from __future__ import annotations

from tws.demo.options import DemoOptions
from tws.demo.report import DemoReport
from tws.demo.run import Progress, run_demo

__all__ = ["DemoOptions", "DemoReport", "Progress", "run_demo"]
