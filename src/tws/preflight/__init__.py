"""Before a run: what is wrong, all of it, with its cure; and a configuration to begin with.

line.py      `Line`, one thing that was looked at
file.py      `check_file`: what the configuration says, without dialling
sense.py     what is allowed each for itself and makes no sense together
place.py     what a trader of this port and client id has left behind: lease, latches, unlock, journal
session.py   `check_session`: the doctor's examination of a real TWS, then the questions of a trader
found.py     what stands at the broker: whose orders and positions these are
scaffold.py  `tws init`: the files of a first configuration; words.py has their texts

Nothing here trades, takes a lease or writes into a trader's state.
"""

from tws.preflight.line import Line, Weight

__all__ = ["Line", "Weight"]
