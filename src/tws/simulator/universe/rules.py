"""Market rules: which price steps an exchange takes, by price level (message 93).

26 is recorded; 239, 59, 67, 32, 109 and 110 are numbers that public code shows beside such steps; ids from
`INVENTED_FROM` are this simulator's own. An instrument's `tick` is the finest step of its rules.
"""

from __future__ import annotations

from decimal import Decimal

__all__ = ["INVENTED_FROM", "RULES", "rule_of", "step_at"]

INVENTED_FROM = 9000

Steps = tuple[tuple[float, float], ...]
"""(from this price on, the step), ascending, the first from 0."""

RULES: dict[int, Steps] = {
    26: ((0.0, 0.01),),
    239: ((0.0, 0.00005),),
    59: ((0.0, 0.005),),
    67: ((0.0, 0.25),),
    32: ((0.0, 0.01),),
    109: ((0.0, 0.01), (3.0, 0.05)),
    110: ((0.0, 0.05), (3.0, 0.1)),
}
"""Known rules. 32: options in cents at every price; 109: cents below 3 dollars, nickels above; 110: nickels,
then dimes."""

_INVENTED: tuple[tuple[int, Steps], ...] = (
    (9001, ((0.0, 0.1),)),
    (9002, ((0.0, 0.01), (10.0, 0.02), (50.0, 0.05), (100.0, 0.1))),
    (9003, ((0.0, 0.5),)),
    (9004, ((0.0, 1.0), (3000.0, 5.0), (30000.0, 50.0))),
    (9005, ((0.0, 0.01), (10.0, 0.02), (20.0, 0.05), (100.0, 0.1), (200.0, 0.2), (500.0, 0.5))),
    (9006, ((0.0, 0.005),)),
    (9007, ((0.0, 1.0),)),
    (9008, ((0.0, 0.001),)),
    (9009, ((0.0, 0.015625),)),
    (9010, ((0.0, 0.0001),)),
    (9011, ((0.0, 0.05),)),
    (9012, ((0.0, 0.03125),)),
    (9013, ((0.0, 5.0),)),
    (9014, ((0.0, 0.00001),)),
    (9015, ((0.0, 0.0000005),)),
    (9016, ((0.0, 0.0078125),)),
    (9017, ((0.0, 0.2),)),
    (9018, ((0.0, 0.00390625),)),
)
RULES.update(_INVENTED)

_BY_STEP = {
    Decimal(repr(steps[0][1])): number for number, steps in reversed(RULES.items()) if len(steps) == 1
}
_BY_STEP[Decimal("0.01")] = 26


def rule_of(tick: Decimal) -> int:
    """The rule whose one step is this tick; 0 when there is none (an instrument of a file)."""
    return _BY_STEP.get(tick.normalize(), _BY_STEP.get(tick, 0))


def step_at(rule: int, price: float) -> float:
    """The step of a rule at this price. Raises KeyError for an unknown rule."""
    step = RULES[rule][0][1]
    for edge, finer in RULES[rule]:
        if abs(price) >= edge:
            step = finer
    return step
