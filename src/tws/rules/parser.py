"""Reads conditions from text: a small grammar of our own, by descent, into the values of
`tws.rules.conditions`.

    any      all ("or" all)*
    all      part ("and" part)*
    part     "not" part | "(" any ")" | flag | word ("==" | "!=") WORD | word ["not"] "in" "(" WORD, ... ")"
             | "time" "between" CLOCK "and" CLOCK | operand sign operand
             | operand "crosses" ("above" | "below") operand
    operand  FIGURE | name | name "(" FIGURE, ... ")" ["." output] | operand "of" SYMBOL

Whatever is wrong raises ConfigError with line, column and cure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn, TypeVar

from tws.errors import ConfigError
from tws.indicators.registry import KINDS
from tws.rules.conditions import (
    AllOf,
    AnyCondition,
    AnyOf,
    AnyOperand,
    Change,
    Compare,
    Cross,
    Field,
    Flag,
    Indicator,
    Is,
    Not,
    Number,
    between,
    clock_s,
    unit_of,
)
from tws.rules.fields import FIELDS, SHORT, Kind, Unit, nearest
from tws.rules.rule import MAX_DEPTH
from tws.rules.tokens import Shape, Token, TokenError, tokens

__all__ = ["Reader", "parse_condition"]

T = TypeVar("T")
_SIGNS = {">=", ">", "<=", "<", "==", "!="}


class Reader:
    """Tokens with a place in them; shared by the readers of conditions and of actions."""

    def __init__(self, text: str, field: str) -> None:
        self.text = text
        self.field = field
        self._tokens = tokens(text, field)
        self._at = 0

    @property
    def here(self) -> Token:
        return self._tokens[self._at]

    def take(self) -> Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def see(self, *texts: str) -> bool:
        """Whether these names or signs come next."""
        coming = self._tokens[self._at : self._at + len(texts)]
        return [each.text for each in coming] == list(texts) and all(
            each.shape in (Shape.NAME, Shape.SIGN) for each in coming
        )

    def accept(self, *texts: str) -> bool:
        """Take these names or signs if they come next."""
        if not self.see(*texts):
            return False
        self._at += len(texts)
        return True

    def expect(self, *texts: str) -> None:
        for text in texts:
            if not self.accept(text):
                self.fail(f"{text!r} is missing, here stands {self.told()}", f"Write {' '.join(texts)}")

    def figure(self, *shapes: Shape) -> Token:
        if self.here.shape not in shapes:
            self.fail(
                f"{' or '.join(shapes)} is missing, here stands {self.told()}",
                "Write the figure with its unit",
            )
        return self.take()

    def word(self, what: str) -> str:
        """A bare or quoted word."""
        if self.here.shape not in (Shape.NAME, Shape.TEXT):
            self.fail(
                f"{what} is missing, here stands {self.told()}", "Write a word, or text in double quotes"
            )
        return self.take().text

    def told(self) -> str:
        return "nothing more" if self.here.shape is Shape.END else repr(self.here.text)

    def fail(self, reason: str, cure: str, at: Token | None = None) -> NoReturn:
        raise TokenError(self.field, self.text, at or self.here, reason, cure)

    def made(self, at: Token, make: Callable[[], T]) -> T:
        """What `make` gives; what it says against it stands at this token."""
        try:
            return make()
        except ConfigError as wrong:
            self.fail(wrong.reason, wrong.cure, at)
        except ValueError as wrong:
            reason, _, cure = str(wrong).partition(". ")
            self.fail(reason, cure or "See docs/design/rules.md", at)

    def end(self, joins: str) -> None:
        if self.here.shape is not Shape.END:
            self.fail(f"{self.told()} is too much here", f"Join with {joins}")


class _Conditions(Reader):
    """The grammar of conditions."""

    def any_of(self, depth: int = 0) -> AnyCondition:
        parts = [self.all_of(depth)]
        while self.accept("or"):
            parts.append(self.all_of(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def all_of(self, depth: int) -> AnyCondition:
        parts = [self.part(depth)]
        while self.accept("and"):
            parts.append(self.part(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def part(self, depth: int) -> AnyCondition:
        if depth > MAX_DEPTH:
            self.fail(f"more than {MAX_DEPTH} conditions within one another", "Make several rules of it")
        if self.accept("not"):
            return Not(self.part(depth + 1))
        if self.accept("("):
            inner = self.any_of(depth + 1)
            self.expect(")")
            return inner
        return self.leaf()

    def leaf(self) -> AnyCondition:
        at = self.here
        name = SHORT.get(at.text, at.text) if at.shape is Shape.NAME else ""
        info = FIELDS.get(name)
        if info is not None and info.kind is Kind.FLAG:
            self.take()
            symbol = self.of()
            return self.made(at, lambda: Flag(name, symbol))
        if info is not None and info.kind is Kind.WORD:
            self.take()
            return self.words(at, name, self.of())
        if self.accept("time", "between"):
            begin = self.figure(Shape.CLOCK).text
            self.expect("and")
            end = self.figure(Shape.CLOCK).text
            return self.made(at, lambda: between(begin, end))
        left, left_at = self.operand(), at
        if self.accept("crosses"):
            above = self.accept("above")
            if not above:
                self.expect("below")
            right_at = self.here
            right = self.operand()
            series = self.constant(left, left_at, Unit.NONE), self.constant(right, right_at, Unit.NONE)
            return self.made(at, lambda: Cross(*series, above))
        return self.comparison(left, left_at)

    def words(self, at: Token, name: str, symbol: str) -> AnyCondition:
        negated = self.accept("not") or self.see("!=")
        if self.accept("in"):
            self.expect("(")
            found = [self.word("a word")]
            while self.accept(","):
                found.append(self.word("a word"))
            self.expect(")")
        elif self.accept("==") or self.accept("!="):
            found = [self.word("a word")]
        else:
            self.fail(
                f"{name} is compared with {self.told()}", f"Write {name} == WORD, != WORD or in (WORD, WORD)"
            )
        known = FIELDS[name].words
        if known:
            found = [_cased(each, known) for each in found]
        condition = self.made(at, lambda: Is(name, tuple(found), symbol))
        return Not(condition) if negated else condition

    def comparison(self, left: AnyOperand | Token, left_at: Token) -> AnyCondition:
        sign = self.here
        if sign.shape is not Shape.SIGN or sign.text not in _SIGNS:
            self.fail(
                f"a comparison is missing, here stands {self.told()}",
                "Write one of >= > <= < == != or crosses",
            )
        self.take()
        right_at = self.here
        right = self.operand()
        unit = next((unit_of(each) for each in (left, right) if not isinstance(each, Token)), Unit.NONE)
        one, two = self.constant(left, left_at, unit), self.constant(right, right_at, unit)
        plain = "==" if sign.text == "!=" else sign.text
        condition = self.made(left_at, lambda: Compare(one, plain, two))  # type: ignore[arg-type]  # one of _SIGNS
        return Not(condition) if sign.text == "!=" else condition

    def operand(self) -> AnyOperand | Token:
        """An operand; a figure stays a token until the unit is known."""
        at = self.here
        if at.shape in (Shape.NUMBER, Shape.SECONDS, Shape.CLOCK, Shape.PERCENT):
            return self.take()
        if at.shape is not Shape.NAME:
            self.fail(
                f"a name or a figure is missing, here stands {self.told()}", "Write such as confidence >= 0.5"
            )
        name = SHORT.get(at.text, at.text)
        self.take()
        if self.see("(") or (name not in FIELDS and name.partition(".")[0].lower() in KINDS):
            return self.called(at)
        if name not in FIELDS:
            self.fail(f"unknown name {at.text!r}", nearest(at.text, [*FIELDS, *SHORT, *KINDS]), at)
        symbol = self.of()
        return self.made(at, lambda: Field(name, symbol))

    def called(self, at: Token) -> AnyOperand:
        """`change(5)` or an indicator: its numbers, and its output after a point; both may be left out."""
        name, _, inline = at.text.partition(".")
        figures = []
        if not inline and self.accept("("):
            if not self.see(")"):
                figures.append(self.figure(Shape.NUMBER))
                while self.accept(","):
                    figures.append(self.figure(Shape.NUMBER))
            self.expect(")")
        output = f".{inline or self.word('the output')}" if inline or self.accept(".") else ""
        symbol = self.of()
        if at.text == "change":
            if len(figures) != 1 or figures[0].value != int(figures[0].value) or output:
                self.fail("change takes the number of bars", "Write such as change(5)", at)
            return self.made(at, lambda: Change(int(figures[0].value), symbol))
        inner = ",".join(each.text.replace("_", "") for each in figures)
        return self.made(at, lambda: Indicator(f"{name}({inner}){output}", symbol))

    def of(self) -> str:
        return self.word("a symbol") if self.accept("of") else ""

    def constant(self, operand: AnyOperand | Token, at: Token, unit: Unit) -> AnyOperand:
        """A figure as a number, if it is written in this unit."""
        if not isinstance(operand, Token):
            return operand
        wanted = {
            Unit.SECONDS: (Shape.SECONDS,),
            Unit.CLOCK: (Shape.CLOCK,),
            Unit.PERCENT: (Shape.NUMBER, Shape.PERCENT),
        }.get(unit, (Shape.NUMBER,))
        if operand.shape not in wanted:
            example = {Unit.SECONDS: "90s or 3m", Unit.CLOCK: "09:45"}.get(unit, "0.5")
            self.fail(
                f"{operand.text!r} is {operand.shape}, not {wanted[-1]}", f"Write such as {example}", at
            )
        if operand.shape is Shape.CLOCK:
            return self.made(at, lambda: Number(clock_s(operand.text)))
        return self.made(at, lambda: Number(operand.value))


def parse_condition(text: str, field: str = "when") -> AnyCondition:
    """A condition from its text. Raises ConfigError with line, column and cure; `field` is the name it goes
    by there.
    """
    reader = _Conditions(text, field)
    condition = reader.any_of()
    reader.end("and, or")
    return condition


def _cased(word: str, known: Iterable[str]) -> str:
    """A known word whatever its letters' case: buy is BUY."""
    return next((each for each in known if each.lower() == word.lower()), word)
