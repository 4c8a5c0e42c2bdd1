"""Option chains: which expirations and strikes an underlying has, and all its option contracts at once.

TWS answers a description without strike and right with a whole expiration, so a chain is asked for by one
request for each expiration, a few at a time, never contract by contract. What came is kept for the session:
asked again, a chain costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from msgspec import Struct

from tws.connection.families.base import Handlers, hear_rows, together
from tws.connection.families.contracts import ContractQuestions
from tws.connection.hearing.replies import Reply
from tws.errors import AmbiguousContractError, NoContractError
from tws.model.contract import Contract, ContractDetails
from tws.model.progress import Progress
from tws.model.reference import OptionChain
from tws.wire.messages import SecDefOptParameter, SecDefOptParameterEnd

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["AT_ONCE", "ChainQuestions", "hear"]

AT_ONCE = 4
"""Requests of one bulk call that are under way together: enough that the link does not idle between two
answers, few enough that others find a place among the fifty messages a second (TWS-BEHAVIOUR.md B)."""
_NAMED = 5  # names that the error about too many of them lists

T = TypeVar("T")
_Key: TypeAlias = tuple[int, str, str, str, str]
"""Underlying, exchange, trading class, multiplier, expiration."""


class _Wish(Struct, frozen=True, kw_only=True):
    """Which contracts of a chain."""

    expirations: frozenset[str] | None
    strikes: frozenset[float] | None
    rights: frozenset[str]
    trading_class: str


class ChainQuestions(ContractQuestions):
    """Questions about option chains."""

    _chain_rows: dict[_Key, tuple[ContractDetails, ...]]
    _chain_session: int = 0
    """The session that `_chain_rows` were answered in."""

    def request_option_chain(self, underlying: Contract, *, exchange: str = "") -> Reply[list[OptionChain]]:
        """The chains of an underlying, one for each exchange and trading class; [] when it has no options.

        `exchange` is for options on futures alone: the one that lists them, "" for all. An underlying
        without `con_id` is looked up first: NoContractError, AmbiguousContractError.
        """
        if underlying.con_id:
            return self._ask_chain(underlying, exchange)
        return self._task(self._chain(underlying, exchange))

    def request_option_contracts(
        self,
        of: OptionChain | Contract,
        *,
        expirations: Collection[str] | None = None,
        strikes: Collection[float] | None = None,
        rights: str | Collection[str] = ("C", "P"),
        trading_class: str = "",
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Reply[list[ContractDetails]]:
        """The option contracts of a chain, by expiration, strike and right; kept until the session ends.

        of            a chain, or an underlying whose chain at SMART (a future's: its only exchange) is taken
        expirations   yyyyMMdd, None for all; likewise strikes; rights "C", "P"
        trading_class which class, where an underlying has several at that exchange
        on_progress   called after each expiration

        Raises AmbiguousContractError when several classes, or several contracts of one expiration, strike and
        right, fit; NoContractError when the underlying has no options there; ValueError for an expiration or
        strike that the chain does not have. At most four requests are under way at a time.
        """
        self._must_be_ready()
        wish = _Wish(
            expirations=None if expirations is None else frozenset(expirations),
            strikes=None if strikes is None else frozenset(map(float, strikes)),
            rights=frozenset(right[:1].upper() for right in rights),
            trading_class=trading_class,
        )
        return self._task(self._contracts(of, wish, on_progress))

    # -- chains

    def _ask_chain(self, underlying: Contract, exchange: str) -> Reply[list[OptionChain]]:
        return self._request(
            "option chain",
            lambda rows: [_chain_of(row, underlying) for row in rows],
            lambda number: self._engine.official.reqSecDefOptParams(
                number, underlying.symbol, exchange, underlying.sec_type, underlying.con_id
            ),
        )

    async def _chain(self, underlying: Contract, exchange: str) -> list[OptionChain]:
        if not underlying.con_id:
            underlying = (await self.request_contract(underlying)).contract
        return await self._ask_chain(underlying, exchange)

    # -- contracts

    async def _contracts(
        self, of: OptionChain | Contract, wish: _Wish, on_progress: Callable[[Progress], object] | None
    ) -> list[ContractDetails]:
        chain = of if isinstance(of, OptionChain) else _one_of(await self._chain(of, ""), of, wish)
        dates = _wanted(chain.expirations, wish.expirations, "expirations")
        _wanted(chain.strikes, wish.strikes, "strikes")
        found: dict[str, tuple[ContractDetails, ...]] = {}
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(date: str) -> None:
            async with gate:
                found[date] = await self._expiration(chain, date)
            if on_progress is not None:
                rows = sum(map(len, found.values()))
                step = Progress(done=len(found), total=len(dates), rows=rows, at=date)
                self._engine.lanes.isolate(on_progress, step)

        await together(one(date) for date in dates)
        return [
            row
            for date in dates
            for row in found[date]
            if row.contract.right in wish.rights
            and (wish.strikes is None or row.contract.strike in wish.strikes)
        ]

    async def _expiration(self, chain: OptionChain, date: str) -> tuple[ContractDetails, ...]:
        """All contracts of one expiration, by strike and right."""
        engine = self._engine
        if self._chain_session != engine.session:  # TWS lists new strikes every day
            self._chain_session = engine.session
            self._chain_rows = {}
        key = (chain.under_con_id, chain.exchange, chain.trading_class, chain.multiplier, date)
        if key not in self._chain_rows:
            rows = await self.request_contract_details(_description(chain, date))
            rows = [row for row in rows if row.under_con_id in (0, chain.under_con_id)]
            rows.sort(key=lambda row: (row.contract.strike or 0.0, row.contract.right))
            _check_apart(rows)
            self._chain_rows[key] = tuple(rows)
        return self._chain_rows[key]


def _description(chain: OptionChain, date: str) -> Contract:
    return Contract(
        symbol=chain.underlying.symbol,
        sec_type=chain.sec_type,
        last_trade_date=date,
        multiplier=chain.multiplier,
        exchange=chain.exchange,
        currency=chain.underlying.currency,
        trading_class=chain.trading_class,
    )


def _one_of(chains: list[OptionChain], underlying: Contract, wish: _Wish) -> OptionChain:
    """The chain that is meant: at SMART if it is there, else the only one."""
    smart = [chain for chain in chains if chain.exchange == "SMART"]
    fits = [chain for chain in smart or chains if wish.trading_class in ("", chain.trading_class)]
    if not fits:
        raise NoContractError(
            200, f"{underlying.symbol} has no options of class {wish.trading_class or 'any'}"
        )
    if len(fits) > 1:
        names = ", ".join(
            f"{one.trading_class} x {one.multiplier} at {one.exchange}" for one in fits[:_NAMED]
        )
        raise AmbiguousContractError(
            200, f"{len(fits)} option classes fit {underlying.symbol}: {names}; name one by trading_class"
        )
    return fits[0]


def _wanted(has: tuple[T, ...], wish: frozenset[T] | None, what: str) -> list[T]:
    """Those of the chain that are wished for, in its order."""
    if wish is None:
        return list(has)
    strange = sorted(map(str, wish - set(has)))
    if strange:
        raise ValueError(f"not among the chain's {what}: {', '.join(strange[:_NAMED])}")
    return [one for one in has if one in wish]


def _check_apart(rows: list[ContractDetails]) -> None:
    """Raises AmbiguousContractError when two contracts share strike and right."""
    known: dict[tuple[float | None, str], int] = {}
    for row in rows:
        place = (row.contract.strike, row.contract.right)
        other = known.setdefault(place, row.contract.con_id)
        if other != row.contract.con_id:
            raise AmbiguousContractError(
                200,
                f"{other} and {row.contract.con_id} are both {row.contract.symbol} "
                f"{row.contract.last_trade_date} {place[0]} {place[1]}: name trading class and multiplier",
            )


def _chain_of(row: SecDefOptParameter, underlying: Contract) -> OptionChain:
    return OptionChain(
        underlying=underlying,
        under_con_id=row.underlying_con_id,
        exchange=row.exchange,
        trading_class=row.trading_class,
        multiplier=row.multiplier,
        expirations=tuple(sorted(row.expirations)),
        strikes=tuple(sorted(row.strikes)),
        sec_type="FOP" if underlying.sec_type == "FUT" else "OPT",
    )


def hear(answers: Answers) -> Handlers:
    """Answers 75 and 76."""
    return hear_rows(answers, rows=(SecDefOptParameter,), ends=(SecDefOptParameterEnd,))
