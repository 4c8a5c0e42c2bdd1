"""Reads actions from text into the values of `tws.rules.actions`, one verb with its words each, joined by
`+`.

    enter (long | short | signal) [size] [stop DISTANCE] [target DISTANCE] [limit]
    reverse [size] [stop DISTANCE] [target DISTANCE]      scale in [size]           exit
    double down [at PERCENT]      move stop DISTANCE from (entry | price)           trail DISTANCE
    break even [plus DISTANCE]    cancel entries    ignore    cooldown DURATION
    enable RULE    disable RULE   alert "TEXT"
    size: shares NUMBER | cash NUMBER | risk PERCENT      DISTANCE: NUMBER atr | PERCENT

Whatever is wrong raises ConfigError with line, column and cure.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from tws.model.sizing import Allocation, RiskFraction, Shares, Sizing
from tws.rules.actions import (
    Alert,
    AnyAction,
    BreakEven,
    CancelEntries,
    DisableRule,
    Distance,
    DoubleDown,
    EnableRule,
    Enter,
    Exit,
    Ignore,
    MoveStop,
    Reverse,
    ScaleIn,
    SetCooldown,
    Trail,
    joined,
)
from tws.rules.fields import nearest
from tws.rules.parser import Reader
from tws.rules.rule import check_name
from tws.rules.tokens import Shape, Token

__all__ = ["VERBS", "parse_actions"]


class _Actions(Reader):
    """The grammar of actions."""

    def action(self) -> AnyAction:
        at = self.here
        verb = VERBS.get(at.text) if at.shape is Shape.NAME else None
        if verb is None:
            self.fail(f"{self.told()} is no action", nearest(at.text, VERBS))
        self.take()
        return verb(self, at)

    def enter(self, at: Token) -> AnyAction:
        side = self.word("a side")
        size, stop, target = self.plan()
        limit = self.accept("limit")
        return self.made(at, lambda: Enter(side, size, stop, target, limit))  # type: ignore[arg-type]  # it checks

    def reverse(self, at: Token) -> AnyAction:
        plan = self.plan()
        return self.made(at, lambda: Reverse(*plan))

    def scale(self, at: Token) -> AnyAction:
        self.expect("in")
        size = self.size()
        return self.made(at, lambda: ScaleIn(size))

    def exit(self, _at: Token) -> AnyAction:
        return Exit()

    def double(self, at: Token) -> AnyAction:
        self.expect("down")
        way = self.figure(Shape.PERCENT).value if self.accept("at") else 50.0
        return self.made(at, lambda: DoubleDown(way))

    def move(self, _at: Token) -> AnyAction:
        self.expect("stop")
        distance = self.distance()
        self.expect("from")
        of_at, of = self.here, self.word("entry or price")
        return self.made(of_at, lambda: MoveStop(distance, of))  # type: ignore[arg-type]  # it checks

    def trail(self, _at: Token) -> AnyAction:
        return Trail(self.distance())

    def break_even(self, _at: Token) -> AnyAction:
        self.expect("even")
        return BreakEven(self.distance() if self.accept("plus") else None)

    def cancel(self, _at: Token) -> AnyAction:
        self.expect("entries")
        return CancelEntries()

    def ignore(self, _at: Token) -> AnyAction:
        return Ignore()

    def cooldown(self, at: Token) -> AnyAction:
        seconds = self.figure(Shape.SECONDS).value
        return self.made(at, lambda: SetCooldown(seconds))

    def enable(self, _at: Token) -> AnyAction:
        return EnableRule(self.rule())

    def disable(self, _at: Token) -> AnyAction:
        return DisableRule(self.rule())

    def alert(self, _at: Token) -> AnyAction:
        at = self.here
        text = self.figure(Shape.TEXT).text
        return self.made(at, lambda: Alert(text))

    def rule(self) -> str:
        at, name = self.here, self.word("a rule")
        self.made(at, lambda: check_name(name))
        return name

    def plan(self) -> tuple[Sizing | None, Distance | None, Distance | None]:
        size = self.size()
        stop = self.distance() if self.accept("stop") else None
        target = self.distance() if self.accept("target") else None
        return size, stop, target

    def size(self) -> Sizing | None:
        if self.accept("shares"):
            return Shares(self.decimal(Shape.NUMBER))
        if self.accept("cash"):
            return Allocation(self.decimal(Shape.NUMBER))
        if self.accept("risk"):
            return RiskFraction(self.decimal(Shape.PERCENT).scaleb(-2))
        return None

    def decimal(self, shape: Shape) -> Decimal:
        """Money and shares are exact: the figure as it is written, never by way of a float."""
        at = self.figure(shape)
        try:
            return Decimal(at.text.rstrip("%").replace("_", ""))
        except InvalidOperation:
            self.fail(f"{at.text!r} is no number", "Write such as 100 or 0.5", at)

    def distance(self) -> Distance:
        at = self.figure(Shape.NUMBER, Shape.PERCENT)
        if at.shape is Shape.NUMBER:
            self.expect("atr")
        return self.made(at, lambda: Distance(at.value, "percent" if at.shape is Shape.PERCENT else "atr"))


VERBS: dict[str, Callable[[_Actions, Token], AnyAction]] = {
    "enter": _Actions.enter,
    "reverse": _Actions.reverse,
    "scale": _Actions.scale,
    "exit": _Actions.exit,
    "double": _Actions.double,
    "move": _Actions.move,
    "trail": _Actions.trail,
    "break": _Actions.break_even,
    "cancel": _Actions.cancel,
    "ignore": _Actions.ignore,
    "cooldown": _Actions.cooldown,
    "enable": _Actions.enable,
    "disable": _Actions.disable,
    "alert": _Actions.alert,
}


def parse_actions(text: str, field: str = "then") -> tuple[AnyAction, ...]:
    """Actions from their text. Raises ConfigError with line, column and cure; `field` is the name it goes by
    there.
    """
    reader = _Actions(text, field)
    at = reader.here
    found = [reader.action()]
    while reader.accept("+"):
        found.append(reader.action())
    reader.end("+")
    return reader.made(at, lambda: joined(*found))
