"""One side: a TWS, our recorder before it, our connection, and the scenarios one after the other.

    scenarios ──▶ connection ═══ recorder ═══ TWS, or the simulated one
                                    └─▶ a redacted file, and the ear

Whatever happens in a scenario, what it has placed is taken back before the next one begins; a lost session is
opened anew. The end takes everything back once more, on Ctrl-C and on failure too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tws.certify.ear import Ear
from tws.certify.register import Scenario
from tws.certify.scene import NotPlayed, Scene
from tws.certify.threads import Span
from tws.certify.trader import ONE, Trader, closed_until, live_signs, new_mark, until
from tws.config import TWSConfig, mask_account
from tws.connection import Keep, PacingOptions, QuoteStream, TWSConnection
from tws.errors import (
    ConfigError,
    ConnectError,
    LeftBehindError,
    NotSentError,
    RequestError,
    RequestTimeoutError,
    TWSError,
)
from tws.model.contract import ContractDetails, stock
from tws.model.market import MarketDataType
from tws.model.settings import TWSSettings
from tws.recording import Proxy, ProxyOptions
from tws.risk import Limits

__all__ = ["Outcome", "Played", "Side", "SideOptions", "refuse_live"]

SETTINGS_FROM = 219
MOST_UNANSWERED = 3
"""A TWS that waits for a click answers none of the orders; more of them would only pile up behind it."""
SHORTEST_S = 5.0
"""A Gateway that connects to its farms names accounts and ids after seconds (A2)."""
QUIET = Keep(reconnect=False, heartbeat_s=3600.0, stale_s=3600.0, verify_s=3600.0)
"""Nothing is asked but by scenarios: no heartbeat, no renewal of streams; a lost session is opened anew by
`Side`."""


class SideOptions(Struct, frozen=True, kw_only=True):
    """Which TWS, as which client, with which share, and where the recording goes.

    patience_s  how long each answer may take
    orders      scenarios that place orders may be played
    pacing      TWS's limits, which are kept
    words       further texts to redact
    """

    name: str
    host: str
    port: int
    path: Path
    journal: Path
    client_id: int = 31
    account: str = ""
    symbol: str = "SPY"
    orders: bool = False
    pacing: PacingOptions = PacingOptions()
    patience_s: float = 20.0
    words: tuple[str, ...] = ()


class Outcome(Struct, frozen=True):
    """What became of a scenario: played (perhaps with a complaint: what never came), or not and why."""

    scenario: str
    played: bool
    why: str = ""
    seconds: float = 0.0


class Played(Struct, frozen=True, kw_only=True):
    """A side when all is over; `file` is its recording's name within the pack."""

    file: str
    server_version: int
    connection_time: str
    accounts: int
    con_id: int
    settings: TWSSettings | None
    outcomes: tuple[Outcome, ...]
    spans: tuple[Span, ...]
    left: str = ""
    failure: str = ""


Tell = Callable[[str, Scenario, Outcome], None]


class Side:
    """See the module. `async with Side(options) as side: await side.play(scenarios, tell)`, then `played`."""

    def __init__(self, options: SideOptions) -> None:
        self.options = options
        self.outcomes: list[Outcome] = []
        self.spans: list[Span] = []
        self.settings: TWSSettings | None = None
        self.left = ""
        self._gone = ""
        self._unanswered = 0
        self._ear = Ear()
        self._proxy: Proxy | None = None
        self._connection: TWSConnection | None = None
        self._second: TWSConnection | None = None
        self._trader: Trader | None = None
        self._details: ContractDetails | None = None
        self._quotes: QuoteStream | None = None
        self._port = 0

    # -- life

    async def open(self) -> None:
        """Connect and look at what is there. Raises ConnectError, ConfigError for what may not be traded."""
        options = self.options
        refuse_live(options.port, accounts=(options.account,) if options.account else ())
        await self._look()
        self._proxy = Proxy(
            ProxyOptions(
                path=options.path, tws_host=options.host, tws_port=options.port, port=0, words=options.words
            ),
            heard=self._ear.heard,
        )
        _, self._port = await self._proxy.start()
        self._connection = await self._dial(options.client_id)
        self._details = await self._connection.request_contract(stock(options.symbol))
        await self._read_settings()
        if options.orders:
            await self._prepare_orders()

    async def _look(self) -> None:
        """A session of its own first, without a recorder between: what fails is named as it is, and a TWS
        with a live account is left at once.
        """
        options = self.options
        config = TWSConfig(
            host=options.host,
            port=options.port,
            client_id=options.client_id + 2,
            connection_timeout=max(SHORTEST_S, options.patience_s),
        )
        async with TWSConnection(config, keep=False, journal=options.journal) as connection:
            refuse_live(options.port, accounts=connection.accounts)

    async def _dial(self, client_id: int, keep: Keep = QUIET) -> TWSConnection:
        options = self.options
        config = TWSConfig(
            host="127.0.0.1",
            port=self._port,
            client_id=client_id,
            account_id=options.account,
            request_timeout=options.patience_s,
            connection_timeout=max(SHORTEST_S, options.patience_s),
        )
        limits = Limits(max_order_quantity=ONE, max_order_notional=None, allow=(options.symbol,))
        made = TWSConnection(config, keep=keep, limits=limits, pacing=options.pacing, journal=options.journal)
        await self._connect(made)
        return made

    async def _connect(self, connection: TWSConnection) -> None:
        if not await connection.connect():
            failure = connection.failure
            assert failure is not None
            raise ConnectError(failure.stage, failure.cause, failure.cure, failure.code)
        await asyncio.wait_for(connection.wait_ready(), self.options.patience_s)

    async def _read_settings(self) -> None:
        assert self._connection is not None
        if self._connection.server_version >= SETTINGS_FROM:
            with suppress(RequestError, NotSentError):  # TWS may refuse to tell them while it is read-only
                told = await self._connection.request_settings()
                # How many addresses it trusts, not which: the pack may be sent to anybody.
                self.settings = replace(told, trusted_ips=("x",) * len(told.trusted_ips))

    async def _prepare_orders(self) -> None:
        """Orders are placed only where nothing of anybody stands in the share."""
        connection, details = self._connection, self._details
        assert connection is not None and details is not None
        if connection.read_only:
            raise ConfigError(
                "orders", True, "TWS's API is read-only", "Untick Read-Only API, or play without --orders"
            )
        con_id, symbol = details.contract.con_id, details.contract.symbol
        self._trader = Trader(connection, details, new_mark("certify"))
        held = [
            row
            for row in await connection.request_positions()
            if row.contract.con_id == con_id and row.quantity
        ]
        if held:
            raise ConfigError(
                "symbol",
                symbol,
                f"{held[0].quantity} of it are held in {mask_account(held[0].account)}",
                "Give another --symbol, one in which you hold nothing",
            )
        working = [row for row in await connection.request_all_open_orders() if row.contract.con_id == con_id]
        if working:
            raise ConfigError(
                "symbol",
                symbol,
                f"{len(working)} orders that are not ours work in it",
                "Cancel them, or give another --symbol",
            )

    async def close(self) -> None:
        """Take back what is left, close every session and the file. Safe twice; says in `left` what stays."""
        await self._tidy()
        for connection in (self._second, self._connection):
            if connection is not None:
                connection.disconnect()
                await connection.wait_closed()
        if self._proxy is not None:
            await self._proxy.stop()

    async def __aenter__(self) -> Side:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *raised: object) -> None:
        await asyncio.shield(self.close())

    @property
    def server_version(self) -> int:
        """The agreed version, once it is open."""
        return 0 if self._connection is None else self._connection.server_version

    @property
    def played(self) -> Played:
        """What was played, once it is closed."""
        connection, details, proxy = self._connection, self._details, self._proxy
        assert connection is not None and details is not None and proxy is not None
        return Played(
            file=self.options.path.name,
            server_version=connection.server_version,
            connection_time=connection.connection_time,
            accounts=len(connection.accounts),
            con_id=details.contract.con_id,
            settings=self.settings,
            outcomes=tuple(self.outcomes),
            spans=tuple(self.spans),
            left=self.left,
            failure="" if proxy.failure is None else str(proxy.failure),
        )

    # -- scenarios

    async def play(self, scenarios: Sequence[Scenario], tell: Tell) -> None:
        """One after the other; each has its outcome."""
        for each in scenarios:
            outcome = await self._play(each)
            if each.orders and outcome.played:
                self._unanswered = self._unanswered + 1 if outcome.why else 0
            self.outcomes.append(outcome)
            tell(self.options.name, each, outcome)

    async def _play(self, each: Scenario) -> Outcome:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        why = ""
        try:
            scene = await self._scene(each)
            # Its answer says that all that was sent before has passed the recorder, too.
            scene.now = await scene.connection.request_current_time()
        except (NotPlayed, TWSError, TimeoutError) as lacking:
            return Outcome(each.key, False, self._words(lacking))
        assert self._proxy is not None
        first = self._proxy.frames + 1
        self._ear.begin()
        try:
            await each.play(scene)
        except NotPlayed as lacking:
            return Outcome(each.key, False, self._words(lacking), loop.time() - begun_s)
        except (TWSError, TimeoutError) as error:
            why = self._words(error)
        finally:
            last = self._proxy.frames
            if each.orders:
                await asyncio.shield(self._tidy())
        self.spans.append(Span(each.key, first, last))
        return Outcome(each.key, True, why, loop.time() - begun_s)

    async def _scene(self, each: Scenario) -> Scene:
        """Raises NotPlayed when it can't be played here and now."""
        connection, details = self._connection, self._details
        assert connection is not None and details is not None
        if self._gone:
            raise NotPlayed(self._gone)
        if each.orders and self.left:
            raise NotPlayed(self.left)
        if each.orders and self._unanswered >= MOST_UNANSWERED:
            raise NotPlayed(
                f"{MOST_UNANSWERED} scenarios with orders in a row came to no end: does TWS show a dialog?"
            )
        if not connection.is_connected():
            try:
                await self._connect(connection)
            except (ConnectError, TimeoutError) as error:
                self._gone = f"TWS is gone: {self._words(error)}"
                raise NotPlayed(self._gone) from error
        if connection.server_version < each.since:
            raise NotPlayed(f"TWS has it from server version {each.since} on")
        if each.orders and self._trader is None:
            raise NotPlayed("orders were not allowed (--orders)")
        if each.market:
            closed = closed_until(details, await connection.request_current_time())
            if closed:
                raise NotPlayed(f"the market of {details.contract.symbol} is {closed}")
        scene = Scene(connection, self._ear, self._port, details, self.options.patience_s)
        scene.second = self._dial_second
        if each.orders:
            scene.trader = self._trader
            scene.bid, scene.ask_price = await self._prices()
        return scene

    async def _prices(self) -> tuple[Decimal, Decimal]:
        """Bid and ask by a stream that stays open beside the scenarios, delayed ones if there are no others;
        a snapshot for each would take TWS eleven seconds (E).
        """
        connection, trader = self._connection, self._trader
        assert connection is not None and trader is not None
        if self._quotes is None or self._quotes.closed:
            connection.request_market_data_type(MarketDataType.DELAYED_FROZEN)
            self._quotes = connection.stream_quotes(trader.contract)
            connection.request_market_data_type(MarketDataType.LIVE)
        quotes = self._quotes
        try:
            await until(lambda: quotes.quote.bid and quotes.quote.ask, "no quote", self.options.patience_s)
        except RequestTimeoutError:
            return await trader.market()
        return Decimal(repr(quotes.quote.bid)), Decimal(repr(quotes.quote.ask))

    @property
    def _known(self) -> ContractDetails:
        assert self._details is not None
        return self._details

    async def _dial_second(self) -> TWSConnection:
        self._second = await self._dial(self.options.client_id + 1, Keep(reconnect=False, sync=False))
        return self._second

    async def _tidy(self) -> None:
        """Nothing of a scenario is left to the next one; what is, stands in `left`."""
        second, self._second = self._second, None
        try:
            if self._trader is not None:
                if second is not None:
                    await Trader(second, self._known, self._trader.mark).clean_up()
                await self._trader.clean_up()
                self.left = ""
        except LeftBehindError as left:
            self.left = str(left)
        except (TWSError, TimeoutError) as error:
            self.left = f"nobody could look whether something is LEFT BEHIND: {self._words(error)}"
        if second is not None:
            second.disconnect()
            await second.wait_closed()

    def _words(self, error: BaseException) -> str:
        """What an error says, redacted as the recording is: it goes into the report."""
        text = str(error) or type(error).__name__
        if self._proxy is None:
            return text
        told = self._proxy.redacted("client", text.encode("utf-8", "replace"), 0)
        return told.decode("utf-8", "replace")


def refuse_live(port: int, mode: str = "paper", accounts: tuple[str, ...] = ()) -> None:
    """Raise ConfigError where anything looks live."""
    if signs := live_signs(port, mode, accounts):
        raise ConfigError("port", port, "; ".join(signs), "tws certify plays on paper alone")
