"""Where the simulated prices come from: synthetic by a seed, replayed from files, or by hand.

base       `Market`, the protocol that the driver reads, and `MarketUpdate`
synthetic  a seeded random market; weeks, where each calendar stands
derived    options, CFDs and further futures out of what they stand on
replay     CSV files of seconds or ticks, merged by time
writing    synthetic files in the same two forms
"""

from tws.simulator.market.base import ManualMarket, Market, MarketUpdate
from tws.simulator.market.replay import ReplayMarket, replay
from tws.simulator.market.synthetic import SyntheticMarket
from tws.simulator.market.writing import write_csv

__all__ = ["ManualMarket", "Market", "MarketUpdate", "ReplayMarket", "SyntheticMarket", "replay", "write_csv"]
