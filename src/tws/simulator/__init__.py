"""A TWS in a box: a server that speaks the TWS socket protocol to any client.

options    what a simulated TWS is told (`SimulatorOptions`)
server     `SimulatedTWS`: listens, owns market, exchange, sessions and the driver of market time
session    one client's connection over any asyncio transport
requests   what each request does, one module per subject
content    news, reports, corporate events and scans, invented by the seed; `subscriptions` who may see them
broker     the exchange's events as the messages that TWS writes
market     where prices come from: synthetic by a seed, derived from an underlying, replayed from files
universe   the instruments that it knows, chains and expiries by rule; `hours` when they trade
limits     how much clients may ask (`Limits`); `admission` who may come in
faults     misbehaviour on demand; `control` the channel by which a running simulator is commanded

What each behaviour rests on (official bytes, recorded, reported, assumed) is in
docs/design/simulator.md.
"""

from tws.simulator.faults import Faults
from tws.simulator.limits import Limits
from tws.simulator.options import Hours, SimulatorOptions, Speed
from tws.simulator.server import SimulatedTWS
from tws.simulator.settings import ToldSettings
from tws.simulator.subscriptions import Subscriptions

__all__ = [
    "Faults",
    "Hours",
    "Limits",
    "SimulatedTWS",
    "SimulatorOptions",
    "Speed",
    "Subscriptions",
    "ToldSettings",
]
