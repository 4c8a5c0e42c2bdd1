"""The simulated TWS as a whole: it builds the market, starts market time, listens, and ends all of it
cleanly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date

from tws.clock import NS_PER_S, Clock, SystemClock
from tws.errors import ConfigError, TWSError
from tws.exchange import Exchange
from tws.log import get_logger
from tws.simulator.core import Core
from tws.simulator.driver import Driver
from tws.simulator.faults import Faults
from tws.simulator.hours import day_of
from tws.simulator.market import Market, MarketUpdate, SyntheticMarket, replay
from tws.simulator.options import SimulatorOptions
from tws.simulator.session import Session
from tws.simulator.subscriptions import PROVIDERS
from tws.simulator.universe import Security, Universe

__all__ = ["SYNTHETIC_DAY", "SimulatedTWS"]

log = get_logger("tws.simulator")

SYNTHETIC_DAY = date(2026, 1, 5)
"""The Monday on which a synthetic market with exchange hours begins unless told, so that a seed repeats."""
BEFORE_OPEN_NS = 60 * 10**9
DEFAULTS = SimulatorOptions()


class SimulatedTWS:
    """One simulated TWS. All methods belong to the event loop that runs it.

    `exchange` is the market's own truth, open to tests. `over` is set when the market has no more
    updates; `failure` then holds what ended it (the DataError of a replay, a hook's exception), None when it
    ended by itself.
    """

    def __init__(self, options: SimulatorOptions = DEFAULTS, clock: Clock | None = None) -> None:
        """`clock` gives the wall's time where a market begins "now".

        Raises ConfigError for a wrong option, DataError for a data file that can't be read.
        """
        options.check()
        self.options = options
        self.failure: Exception | None = None
        self.core = Core(options, *_build(options, clock or SystemClock()))
        self._driver = Driver(self.core)
        self.core.clock = self._driver.now_ns
        self.core.faults.bind(self)
        self._task: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self._listening: asyncio.Task[None] | None = None
        self._is_open = False
        host = "127.0.0.1" if options.host == "localhost" else options.host  # one address, so one port
        self._address = (host, options.port)

    # -- life -------------------------------------------------------------------------------------

    async def start(self, *, listen: bool = True) -> tuple[str, int]:
        """Begin market time and (unless `listen` is False) accept clients. Returns host and port.

        Raises OSError when the port is taken.
        """
        self._is_open = listen
        if listen:
            await self._open()
            if not self.options.api_enabled:
                self.listen(False)
        self._task = asyncio.create_task(self._run())
        if not self.options.paused:
            self._driver.resume()
        return self._address

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        host, port = self._address
        self._server = await loop.create_server(self.protocol_factory, host, port)
        self._address = (host, self._server.sockets[0].getsockname()[1])

    async def _run(self) -> None:
        try:
            await self._driver.run()
        except TWSError as error:
            log.error("the market ended", reason=str(error))
            self.failure = error
            self._driver.over.set()
        except Exception as error:  # a hook's, or a bug: whoever waits for the end must not wait for ever
            log.exception("market time stopped")
            self.failure = error
            self._driver.over.set()

    async def stop(self) -> None:
        """Close every session and the listening socket; safe twice."""
        if self._task is not None:
            self._driver.pause()
        tasks = [task for task in (self._task, self._listening) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = self._listening = None
        self.core.faults.close()
        for session in list(self.core.abandoned):
            session.cut()
        if self._server is not None:
            self._server.close()
        for session in list(self.core.sessions):
            session.close("the simulator ends", expected=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def protocol_factory(self) -> Session:
        """The server's side of a new session, over any asyncio transport; give this method as the factory."""
        return Session(self.core)

    # -- what callers see -------------------------------------------------------------------------

    @property
    def exchange(self) -> Exchange:
        return self.core.exchange

    @property
    def faults(self) -> Faults:
        return self.core.faults

    @property
    def over(self) -> asyncio.Event:
        return self._driver.over

    @property
    def port(self) -> int:
        """Where clients find it, as far as it is known."""
        return self._address[1]

    @property
    def is_listening(self) -> bool:
        """Whether dials are answered."""
        return self._server is not None

    @property
    def steps(self) -> int:
        """How often market time advanced."""
        return self._driver.steps

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The open sessions, oldest first."""
        return tuple(self.core.sessions)

    @property
    def bytes_received(self) -> int:
        """Of all sessions, ended ones included."""
        return self.core.bytes_received

    @property
    def bytes_sent(self) -> int:
        """Handed to the transports of all sessions, ended ones included."""
        return self.core.bytes_sent

    def now_ns(self) -> int:
        """Market time."""
        return self._driver.now_ns()

    @property
    def pace(self) -> float:
        """Seconds of the market in a second of life; 0 while it is held, and at "max"."""
        return self._driver.pace

    def resume(self) -> None:
        """Let market time run, after `paused`."""
        self._driver.resume()

    def pause(self) -> None:
        """Hold market time."""
        self._driver.pause()

    def security(self, symbol: str | int) -> Security:
        """The instrument of this symbol or conId. Raises ConfigError."""
        universe = self.core.universe
        known = universe.get(symbol) if isinstance(symbol, int) else universe.symbol(symbol)
        if known is None:
            raise ConfigError("symbol", symbol, "is unknown here", "Name it in SimulatorOptions.symbols")
        return known

    def con_id(self, symbol: str) -> int:
        """The conId of a known symbol. Raises ConfigError."""
        return self.security(symbol).con_id

    def quote(
        self, symbol: str | int, *, bid: float, ask: float, bid_size: int = 1000, ask_size: int = 1000
    ) -> None:
        """Set a market by hand, now. Prices in currency, sizes in lots, 0 empties a side.

        `symbol` is a symbol or a conId. What is derived from another instrument follows it no more.
        """
        security = self.security(symbol)
        tape = self.core.listed(security)
        self.core.by_hand.add(security.con_id)
        update = MarketUpdate(
            self.now_ns(),
            security.con_id,
            tape.grid.ticks(bid),
            bid_size if bid else 0,
            tape.grid.ticks(ask),
            ask_size if ask else 0,
        )
        self.core.publish(update)
        self.core.flush()

    def halt(self, symbol: str | int, kind: int = 1) -> None:
        """Halt an instrument: 1, or 2 for volatility; 0 lets it trade again, at the quote that stood."""
        security = self.security(symbol)
        self.core.listed(security)
        self.core.halt(security.con_id, kind)
        self.core.flush()

    def trade(self, symbol: str | int, price: float, size: int = 100) -> None:
        """Print a trade by hand, now."""
        security = self.security(symbol)
        tape = self.core.listed(security)
        self.core.publish(
            MarketUpdate(
                self.now_ns(), security.con_id, tape.bid, tape.bid_size, tape.ask, tape.ask_size, price, size
            )
        )
        self.core.flush()

    def publish_news(
        self, headline: str, symbol: str = "", *, provider: str = "BRFG", body: str = ""
    ) -> str:
        """A headline by hand, now: on the streams that carry it, in history and as an article.

        `symbol` "" is about no instrument. Returns the article's id. Raises ConfigError.
        """
        if provider not in PROVIDERS:
            raise ConfigError("provider", provider, "is unknown", f"Use one of {', '.join(PROVIDERS)}")
        con_id = self.con_id(symbol) if symbol else 0
        item = self.core.desk.news.publish(con_id, provider, headline, body)
        self.core.flush()
        return item.article_id

    def post_bulletin(self, text: str, *, exchange: str = "NYSE", kind: int = 1) -> None:
        """A bulletin by hand, now: kind 1 news, 2 the exchange is not available, 3 it is again."""
        if kind not in (1, 2, 3):
            raise ConfigError("kind", kind, "is unknown", "Use 1 for news, 2 or 3 for an exchange")
        self.core.desk.news.post(text, exchange, kind)
        self.core.flush()

    def answer_dialog(self, accept: bool) -> int:
        """Answer "Accept incoming connection attempt?" for all who wait, and every other dialog; how many."""
        return self.core.admission.answer(accept) + self.core.faults.answer_dialog(accept)

    async def set_clock(self, now_ns: int) -> None:
        """Move market time forward; what the market does meanwhile happens, as fast as it can.

        Raises ValueError for a moment that is past: market time never goes back.
        """
        if now_ns < self.now_ns():
            raise ValueError(f"market time can't go back: {now_ns} is before {self.now_ns()}")
        await self._driver.skip(now_ns)

    # -- FaultActions -----------------------------------------------------------------------------

    def listen(self, on: bool) -> None:
        """Stop or take up listening, on the same port."""
        if not on and self._server is not None:
            self._server.close()
            self._server = None
        elif on and self._is_open and self._server is None and self._task is not None:
            self._listening = asyncio.create_task(self._open())

    def move(self, port: int, moved: Callable[[int], None]) -> None:
        """Listen on another port, then call `moved` with it."""

        async def move() -> None:
            before, self._server = self._server, None
            self._address = (self._address[0], port)
            await self._open()
            if before is not None:
                before.close()
            moved(self._address[1])
            self.core.flush()

        if self._is_open:
            self._listening = asyncio.create_task(move())


def _build(options: SimulatorOptions, clock: Clock) -> tuple[Universe, Market, int]:
    """The universe, the market that the options ask for, and where its time begins."""
    universe = Universe()
    if options.universe is not None:
        from tws.simulator.universe.file import load_universe  # late: most runs have no such file

        universe = load_universe(options.universe)
    if options.market is not None:
        for security in options.market.listings:
            universe.put(security, trading=True)
        return universe, options.market, options.market.start_ns
    if options.data:
        replayed = replay(options.data, universe, options.symbol_map, options.end_ns)
        return universe, replayed, max(replayed.start_ns, options.start_ns or 0)
    if options.symbol_map:
        raise ConfigError(
            "symbol", dict(options.symbol_map), "maps a series, but no data file is given", "Give --data"
        )
    chosen = [universe.add(symbol.upper()) for symbol in options.symbols] or universe.securities
    start_ns = _start(options, clock)
    market = SyntheticMarket(
        chosen, seed=options.seed, start_ns=start_ns - NS_PER_S, end_ns=options.end_ns, mode=options.hours,
        updates_per_s=options.updates_per_s, more=not options.symbols,
    )  # a second early, so that there are quotes when it begins
    return universe, market, start_ns


def _start(options: SimulatorOptions, clock: Clock) -> int:
    if options.start_ns is not None:
        return options.start_ns
    if options.hours == "always":
        return clock.now_ns()
    day = day_of(SYNTHETIC_DAY)
    assert day is not None
    return day.open_ns - BEFORE_OPEN_NS
