"""A whole house in a world: the real trader (runtime, desk, connection) and the simulated TWS.

One run is: a day in miniature under the weather that the seed drew, with a user who places brackets,
cancels and flattens as the seed says, and with the trader killed now and then; then faults stop, the
trader flattens, and the checkers hold what it believes against what happened.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.world.checks import Arrivals, check_books, check_end, check_fills, check_memory, check_pace

from tws.config import TWSConfig
from tws.desk import Alert, DeclareGone, DeskState
from tws.errors import TWSError
from tws.exchange import OrderTicket
from tws.model.contract import Contract
from tws.model.order import Side, bracket
from tws.risk import Limits
from tws.runtime import Trader, TraderParts
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits as SimLimits
from tws.world import Bounds, Domain, Faults, World

__all__ = ["House", "Outcome", "play"]

ADDRESS = ("127.0.0.1", 7497)
SYMBOLS = ("TLT", "SLV")
FAULTY_S = 45.0  # a dozen trades and some lost links; longer runs cost more than further seeds tell
CONVERGE_S = 600.0  # an order is proven absent in two rounds 10 s apart; many such waits fit, no stall
BOUNDS = Bounds(steps=200_000, spin=10_000, time_s=FAULTY_S + 3 * CONVERGE_S)  # thirty times a usual run


@dataclass
class Outcome:
    """What a run came to."""

    seed: int | str
    digest: str
    complaints: list[str]
    fills: int
    orders: int
    lives: int
    starts: int
    links: int
    steps: int
    seconds: float
    tail: list[str] = field(default_factory=list)


@dataclass
class Script:
    """What happens to the house, as the seed draws it."""

    faulty_s: float
    crashes: list[float]

    @classmethod
    def draw(cls, world: World, faulty_s: float) -> Script:
        rng = world.rng("script")
        count = rng.choice((0, 0, 1, 2))
        return cls(faulty_s, sorted(rng.uniform(5.0, faulty_s) for _ in range(count)))


class House:
    """The parts of one run. `trader` is the present life's, once it has started."""

    trader_class = Trader

    def __init__(self, seed: int | str, *, faults: Faults | None = None, faulty_s: float = FAULTY_S) -> None:
        self.world = World(seed, faults=faults, bounds=BOUNDS)
        self.disk = self.world.disk("journal")
        self.script = Script.draw(self.world, faulty_s)
        self.arrivals = Arrivals()
        self.complaints: list[str] = []
        self.trader: Trader | None = None
        self.state: DeskState | None = None
        self.lives = self.starts = 0
        self.healed = False
        self._wants_human: set[str] = set()
        self.simulator: SimulatedTWS

    # The run

    def run(self) -> Outcome:
        """Play it and judge it."""
        logger, listener = logging.getLogger("tws"), _Listener(self._log)
        before = logger.level, logger.propagate
        logger.addHandler(listener)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        try:
            self.world.run(self._main())
        finally:
            logger.removeHandler(listener)
            logger.setLevel(before[0])
            logger.propagate = before[1]
        exchange = self.simulator.exchange
        return Outcome(
            seed=self.world.seed,
            digest=self.world.trace.digest,
            complaints=self.complaints + self.arrivals.complaints,
            fills=len(exchange.executions()),
            orders=len(self.arrivals.places),
            lives=self.lives,
            starts=self.starts,
            links=self.world.network.links,
            steps=self.world.loop.steps,
            seconds=self.world.loop.time(),
            tail=self.world.trace.lines,
        )

    async def _main(self) -> None:
        world = self.world
        await world.spawn(Domain("tws"), self._open_tws())
        for crash in [*self.script.crashes, None]:
            domain = Domain(f"trader {self.lives}")
            life = world.spawn(domain, self._live(self.lives))
            self.lives += 1
            end = self.script.faulty_s if crash is None else crash
            await asyncio.sleep(max(0.0, end - world.loop.time()))
            if crash is not None:
                self.trader = None
                world.crash(domain)
        world.heal()
        self.healed = True
        await life
        self._judge()
        await self.simulator.stop()

    async def _open_tws(self) -> None:
        world = self.world
        seed = world.rng("market").randint(1, 2**31)
        options = SimulatorOptions(  # the connection keeps no pace of its own yet: without limits
            symbols=SYMBOLS, seed=seed, start_ns=world.clock.now_ns(), speed=1.0, limits=SimLimits.off()
        )
        self.simulator = SimulatedTWS(options)
        await self.simulator.start(listen=False)
        world.network.listen(*ADDRESS, self.simulator.protocol_factory)
        self._watch_arrivals()

    def _watch_arrivals(self) -> None:
        exchange = self.simulator.exchange
        place = exchange.place

        def watched(ticket: OrderTicket, now_ns: int) -> Any:
            self.world.trace.note(f"order {ticket.order_id} {ticket.order_ref} arrives")
            self.arrivals.arrived(ticket, self.disk.records)
            return place(ticket, now_ns)

        exchange.place = watched  # type: ignore[method-assign]

    # One life of the trader

    async def _live(self, number: int) -> None:
        rng = self.world.rng(f"life {number}")
        while True:
            parts = TraderParts(
                clock=self.world.clock,
                dial=self.world.network.dial,
                store=self.disk.open(),
                prefix="w",
                rng=self.world.rng(f"back-off {number}.{self.starts}"),
            )
            self.starts += 1
            config = TWSConfig(host=ADDRESS[0], port=ADDRESS[1], client_id=1)
            trader = self.trader_class(config, limits=Limits(), parts=parts)
            trader.on_alert(self._alerted)
            try:
                await trader.start()
                break
            except TWSError as error:
                self.world.trace.note(f"start failed: {error}")
                if self.world.loop.time() > self.script.faulty_s + CONVERGE_S:
                    self.complaints.append(f"no start though the weather is calm: {error}")
                    return
                await asyncio.sleep(rng.uniform(1.0, 5.0))
        self.trader = trader
        await self._use(trader, rng)
        await self._settle(trader)
        self.state = trader.desk.state
        await trader.stop()

    async def _use(self, trader: Trader, rng: Any) -> None:
        """A user who wants much and looks at little."""
        while not self.healed:
            await asyncio.sleep(rng.uniform(0.2, 5.0))
            symbol = rng.choice(SYMBOLS)
            try:
                match rng.choice(("enter", "enter", "enter", "enter", "cancel", "flatten", "nothing")):
                    case "enter":
                        await self._enter(trader, symbol, rng)
                    case "cancel":
                        await trader.cancel_all()
                    case "flatten":
                        await trader.flatten(symbol, timeout_s=5.0)
                    case _:
                        pass
            except TWSError as error:
                self.world.trace.note(f"user hears {type(error).__name__}: {error}")
                if trader.failure is not None:
                    raise

    async def _enter(self, trader: Trader, symbol: str, rng: Any) -> None:
        contract = Contract(symbol=symbol)
        quote = await trader.quote(contract, timeout_s=10.0)
        assert quote.bid is not None and quote.ask is not None
        side = rng.choice((Side.BUY, Side.SELL))
        middle = round((quote.bid + quote.ask) / 2, 2)
        near, far = rng.randint(2, 8) / 100, rng.randint(2, 8) / 100
        limit = rng.choice((None, middle))
        await trader.submit(
            bracket(
                contract,
                side,
                rng.choice((1, 10, 100, 300)),
                limit=limit,
                target=round(middle + side.sign * near, 2),
                stop=round(middle - side.sign * far, 2),
            )
        )

    async def _settle(self, trader: Trader) -> None:
        """The weather is calm: the trader must know everything, and be flat when asked."""
        deadline = self.world.loop.time() + CONVERGE_S
        open_points = ["not begun"]
        while self.world.loop.time() < deadline:
            open_points = self._open_points(trader)
            if not open_points:
                break
            try:
                await self._help(trader)
                await trader.flatten(timeout_s=30.0)
            except TWSError as error:
                self.world.trace.note(f"flatten: {error}")
                if trader.failure is not None:
                    raise
            await asyncio.sleep(1.0)
        else:
            self.complaints.append(f"not settled {CONVERGE_S:.0f} s after the faults stopped: {open_points}")
        await asyncio.sleep(5.0)  # the last fees

    async def _help(self, trader: Trader) -> None:
        """The human whom an order needs that TWS may hold untransmitted: no answer shows it."""
        named = sorted(self._wants_human)
        self._wants_human.clear()
        for intent_id in named:
            self.world.trace.note(f"a human restarts TWS and declares {intent_id} gone")
            self.simulator.exchange.restart(self.world.clock.now_ns())
            await trader.ask(DeclareGone(intent_id=intent_id, operator="ann", reason="TWS was restarted"))

    def _alerted(self, alert: Alert) -> None:
        kind, _, subject = alert.subject.partition(" ")
        if kind == "untransmitted":
            self._wants_human.add(subject)

    @staticmethod
    def _open_points(trader: Trader) -> list[str]:
        """What keeps the trader from being done."""
        state = trader.desk.state
        living = [f"{order.intent_id} {order.state}" for order in state.book.living()]
        found = [] if trader.flat() else [f"not flat, living {living}"]
        if not state.link_up:
            found.append(f"link {state.link}")
        if state.reconciled_epoch != state.epoch:
            found.append(f"reconciled in epoch {state.reconciled_epoch} of {state.epoch}")
        return found + [f"{key} differs" for key in state.differs]

    # The judgement

    def _judge(self) -> None:
        exchange, durable = self.simulator.exchange, self.disk.records
        if self.state is None:
            self.complaints.append("no life of the trader came to an end")
            return
        self.complaints += check_fills(exchange, durable)
        self.complaints += check_books(exchange, self.state)
        self.complaints += check_memory(self.state, durable)
        self.complaints += check_end(exchange)
        self.complaints += check_pace(durable)

    def _log(self, line: str) -> None:
        """Logs become lines of the trace; one with a traceback is an exception that somebody swallowed."""
        self.world.trace.note(line)
        if "Traceback" in line:
            self.complaints.append(f"swallowed: {line}")


class _Listener(logging.Handler):
    """Hands each line of the package's log on."""

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__()
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take(f"{record.levelname}: {record.getMessage()}")


def play(seed: int | str, **options: Any) -> Outcome:
    """One run."""
    return House(seed, **options).run()
