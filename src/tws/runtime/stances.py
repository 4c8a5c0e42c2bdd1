"""Where a trader stands in a symbol, read off its desk for `tws.strategy.manage` and for rules; and its new
fills.

All of it comes from the desk's state, so a restart, which rebuilds that from the journal, stands where the
run before it stood.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import takewhile

from tws.desk.protect import PARTLY_FILLED
from tws.desk.state import Group
from tws.model.order import OrderType, Role, Side
from tws.positions.holding import Holding as Held
from tws.rules import Filled
from tws.rules.context import Holding
from tws.runtime.trader import Trader
from tws.strategy.manage import Stance

__all__ = ["Stances"]

_ROLES = {Role.ENTRY: "entry", Role.STOP: "stop", Role.TARGET: "target", Role.CLOSE: "exit"}
_ZERO = Decimal(0)


class Stances:
    """Reads one trader. Fills that are there when it is made are no news."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._seen: dict[str, int] = {key: held.counted for key, held in self._holdings().items()}
        self._entered: dict[str, int] = {}  # trade -> its first fill
        self._moves = trader.moves
        self._stances: dict[str, Stance] = {}
        self._read_at = -1

    def held(self) -> list[str]:
        """The symbols in which something of ours is held."""
        return list({held.contract.symbol: None for held in self._holdings().values() if held.quantity})

    def stance(self, symbol: str) -> Stance:
        """Where we stand in a symbol; read anew when a record has moved the desk."""
        if self._read_at != self._trader.desk.moved:
            self._read_at = self._trader.desk.moved
            self._stances.clear()
        if symbol not in self._stances:
            self._stances[symbol] = self._read(symbol)
        return self._stances[symbol]

    def _read(self, symbol: str) -> Stance:
        state, trader = self._trader.desk.state, self._trader
        groups = self._open(symbol)
        quantity = trader.position(symbol)
        bases = [group for group in groups if not group.joins and self._counts(group)]
        busy = ""
        if symbol in state.reversals:
            busy = f"it is being reversed ({state.reversals[symbol].phase})"
        elif symbol in state.flattens:
            busy = f"it is being closed ({state.flattens[symbol].phase})"
        elif len(bases) > 1:
            busy = f"{len(bases)} trades are open in it"
        working = not trader.flat(symbol)
        if len(bases) != 1:
            side = None if not quantity else Side.BUY if quantity > 0 else Side.SELL
            cost = self._cost(symbol)
            return Stance(quantity=quantity, side=side, entry_price=cost, working=working, busy=busy)
        base = bases[0]
        joined = self._joined(base)
        limited = [group for group in joined if self._limited(group)]
        rest, rest_price = self._rest(limited[-1]) if limited else (_ZERO, None)
        entries = state.members(base, Role.ENTRY)
        stops = [order for order in state.members(base, Role.STOP) if order.live]
        return Stance(
            quantity=quantity,
            side=base.side,
            trade=base.group_id,
            strategy=base.strategy,
            entry_price=self._cost(symbol),
            stop_price=next((each.order.stop_price for each in stops), base.stop_price),
            target_price=base.target_price,
            reward=_reward(base, self._cost(symbol)),
            entering=any(order.live for group in groups for order in state.members(group, Role.ENTRY)),
            entered=bool(quantity) and not any(order.live or order.missing for order in entries),
            adds=len([group for group in joined if group not in limited and self._counts(group)]),
            doubled=bool(limited) or base.additions > len(joined),  # what is packed away counts too
            rest=rest,
            rest_price=rest_price,
            working=working,
            busy=busy,
        )

    def stops(self, symbol: str) -> list[str]:
        """The intents of the stops that work in a symbol."""
        state = self._trader.desk.state
        return [
            order.intent_id
            for group in self._open(symbol)
            for order in state.members(group, Role.STOP)
            if order.live and not order.cancel_wanted
        ]

    def holding(self, symbol: str, bars_since: int | None) -> Holding | None:
        """The position as rules see it; None while the books are not reconciled."""
        state = self._trader.desk.state
        if state.reconciled_epoch != state.epoch:
            return None
        stance = self.stance(symbol)
        filled = [
            group
            for group in self._open(symbol)
            if group.joins and any(order.filled for order in state.members(group, Role.ENTRY))
        ]
        return Holding(
            quantity=float(stance.quantity),
            entry_price=_number(stance.entry_price),
            stop_price=_number(stance.stop_price if stance.quantity else None),
            entered_ns=self.entered_ns(symbol),
            bars_held=bars_since,
            adds=len(filled),
            doubled=stance.doubled,
            entering=stance.entering,
        )

    def entered_ns(self, symbol: str) -> int | None:
        """When the trade that is held first filled; None when nothing is held, or no trade of ours."""
        if not self._trader.position(symbol):
            return None
        state = self._trader.desk.state
        base = next((group for group in self._open(symbol) if not group.joins and state.held(group)), None)
        if base is None:
            return None
        if base.group_id not in self._entered:
            if len(self._entered) > 1000:  # trades that are over: their times are found again where needed
                self._entered.clear()
            early = {each: state.book.orders[each].early for each in base.intents}
            moves = (move for held in self._of(symbol) for move in held.fills.values())
            times = [move.time_ns for move in moves if move.owner in early]
            times += [each.first_ns for each in early.values() if each is not None]
            if not times:
                return None
            self._entered[base.group_id] = min(times)
        return self._entered[base.group_id]

    def last_entry_ns(self, symbol: str, since_ns: int) -> int | None:
        """When an entry last filled, after `since_ns`, that no stop-out has ended since."""
        found: list[int] = []
        for held in self._of(symbol):
            for move in takewhile(lambda each: each.time_ns > since_ns, reversed(held.moves)):
                order = self._trader.desk.state.book.get(move.owner)
                role = None if order is None else order.role
                if role is Role.ENTRY:
                    found.append(move.time_ns)
                if role is Role.ENTRY or (role is Role.STOP and not move.left.quantity):
                    break
        return max(found, default=None)

    def fills(self) -> list[Filled]:
        """The fills since the last call, each once, with what each left: several may come in one look."""
        found: list[Filled] = []
        if self._moves == self._trader.moves:
            return found
        self._moves = self._trader.moves
        state = self._trader.desk.state
        for key, held in self._holdings().items():
            before = self._seen.get(key, 0)
            self._seen[key] = held.counted
            new = held.counted - before
            for move in list(held.fills.values())[-new:] if new > 0 else ():
                order = state.book.get(move.owner)
                if order is None:
                    continue  # no order of ours: nothing that a rule asked for
                group = state.groups.get(order.group_id)
                role = "add" if group is not None and group.joins and order.role is Role.ENTRY else ""
                found.append(
                    Filled(
                        symbol=held.contract.symbol,
                        side="BUY" if move.quantity > 0 else "SELL",
                        role=role or _ROLES[order.role],  # type: ignore[arg-type]  # the table has rules' words
                        quantity=float(abs(move.quantity)),
                        price=float(move.price),
                        left=float(abs(move.left.quantity)),
                    )
                )
        return found

    def _holdings(self) -> dict[str, Held]:
        return self._trader.desk.state.ours.holdings

    def _of(self, symbol: str) -> list[Held]:
        return [held for held in self._holdings().values() if held.contract.symbol == symbol]

    def _open(self, symbol: str) -> list[Group]:
        state = self._trader.desk.state
        groups = (state.groups[group_id] for group_id in state.open_groups)
        return [group for group in groups if group.contract.symbol == symbol]

    def _joined(self, base: Group) -> list[Group]:
        """What was to add to a trade, oldest first; also what came to nothing."""
        found: list[Group] = []
        if not base.additions:
            return found
        groups = self._trader.desk.state.groups
        for group_id in reversed(groups):
            if group_id == base.group_id:
                break  # what adds to it is younger
            if groups[group_id].joins == base.group_id:
                found.append(groups[group_id])
        return found[::-1]

    def _rest(self, group: Group) -> tuple[Decimal, Decimal | None]:
        """What the desk had to end of a limit, because it was partly filled; and its price."""
        entry = self._trader.desk.state.members(group, Role.ENTRY)[-1]
        ended = not (entry.live or entry.missing) and entry.cancel_reason == PARTLY_FILLED
        rest = entry.order.quantity - entry.filled if ended else _ZERO
        return rest, entry.order.limit_price

    def _counts(self, group: Group) -> bool:
        """Whether a trade holds shares, or its entry may fill yet."""
        state = self._trader.desk.state
        return state.held(group) != 0 or any(order.live for order in state.members(group, Role.ENTRY))

    def _limited(self, group: Group) -> bool:
        """Whether it waits at a limit: a double down does, what scales in goes to the market."""
        entries = self._trader.desk.state.members(group, Role.ENTRY)
        return any(order.order.order_type is OrderType.LIMIT for order in entries)

    def _cost(self, symbol: str) -> Decimal | None:
        prices = [held.average_price for held in self._of(symbol) if held.quantity]
        return prices[0] if len(prices) == 1 else None


def _reward(base: Group, cost: Decimal | None) -> Decimal | None:
    """How far the target stays from the average price; None where it does not follow, or nothing is known."""
    target, aim = base.target_price, base.aim
    if not base.target_follows or target is None or cost is None:
        return None
    if aim is not None and aim.target_price == target:
        return aim.reward
    return (target - cost) * base.side.sign


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
