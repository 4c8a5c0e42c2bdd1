"""A TWS in a box: a server that speaks the TWS socket protocol to any client.

options    what a simulated TWS is told (`SimulatorOptions`)
server     `SimulatedTWS`: listens, owns market, exchange, sessions and the driver of market time
session    one client's connection over any asyncio transport
requests   what each request does, one module per subject
broker     the exchange's events as the messages that TWS writes
market     where prices come from: synthetic by a seed, or replayed from files
universe   the stocks and ETFs that it knows
faults     misbehaviour on demand, for tests

What each behaviour rests on (official bytes, recorded, reported, assumed) is in
docs/design/simulator.md.
"""

from tws.simulator.faults import Faults
from tws.simulator.options import Hours, SimulatorOptions, Speed
from tws.simulator.server import SimulatedTWS

__all__ = ["Faults", "Hours", "SimulatedTWS", "SimulatorOptions", "Speed"]
