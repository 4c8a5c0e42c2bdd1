"""A live account begins with a tenth and earns the rest: runs on real sockets, session after session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.runtime.flight import Flight
from tests.runtime.live import LIVE, LiveScene, enter_live, unlock
from tests.runtime.scene import Scene

from tws.config import load_settings
from tws.risk import Limits
from tws.runtime.evidence import SessionLine, add_session
from tws.runtime.graduation import GRADES, capped, grade_of
from tws.runtime.place import Place
from tws.runtime.plan import plan_run
from tws.runtime.report import RunReport
from tws.runtime.unlocking import changed_limits
from tws.strategy.sizing import Allocation, Basis, Kelly, Shares, quantity_for


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveScene]:
    scene = LiveScene(tmp_path)
    await scene.open()
    yield scene
    await scene.close()


async def session(scene: Scene, folder: Path, shares: int) -> RunReport:
    """One run that ends flat; a trade in it has so many shares, 0: none is made."""
    flight = enter_live(Flight(scene, folder))
    unlock(flight)
    await flight.up()
    try:
        if shares:
            name = f"of-{scene.sim.now_ns()}"
            assert await flight.outcome(flight.say("BUY", signal_id=name)) == ("traded", "")
            await flight.held(shares)
        return await flight.end()
    finally:
        await flight.close()


def plan_of(scene: Scene, folder: Path) -> str:
    flight = enter_live(Flight(scene, folder))
    plan = plan_run(load_settings(flight.path), flight.path, folder / "state")
    return "\n".join(plan.lines())


async def test_a_tenth_first_and_a_quarter_after_five_sessions(live: LiveScene, tmp_path: Path) -> None:
    assert "LIVE, real money; step 1 of 4: 10%" in plan_of(live, tmp_path)
    for number in range(5):
        report = await session(live, tmp_path, 1)  # of 10 shares
        assert report.good and report.mode == "live", report
        assert f"{number} live sessions ended well, more from 5 on" in report.grade
    await session(live, tmp_path, 0)
    assert "5 live sessions" in plan_of(live, tmp_path), "a session without a trade shows nothing"
    report = await session(live, tmp_path, 2)
    assert "step 2 of 4: 25%" in report.grade


async def test_the_limits_in_force_are_the_part_and_no_change_of_a_human(
    live: LiveScene, tmp_path: Path
) -> None:
    flight = enter_live(Flight(live, tmp_path))
    unlock(flight)
    await flight.up()
    state = flight.trader.desk.state
    assert state.limits is not None
    assert (state.limits.max_position, state.limits.max_daily_loss) == (10, 1000)
    assert changed_limits(flight.run.plan.settings, state) == ()
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.held(1)
    assert flight.guarded() == 1
    assert (await flight.end()).good
    assert LIVE not in str(flight.run.report)


def line(reconciled: bool = True, trades: int = 1, at_ns: int = 1, settings: str = "") -> SessionLine:
    return SessionLine(
        at_ns=at_ns, account=LIVE, code="any", settings=settings, seconds=1.0, trades=trades,
        reconciled=reconciled,
    )  # fmt: skip


def test_a_session_that_did_not_end_well_takes_it_back(tmp_path: Path) -> None:
    from tws.config import Settings
    from tws.runtime.fingerprint import settings_fingerprint

    settings, place = Settings(), Place(tmp_path / "7496-1")
    place.folder.mkdir()
    said = settings_fingerprint(settings)
    for least, share in GRADES:
        while (grade := grade_of(tmp_path, settings, LIVE)).sessions < least:
            add_session(place, line(at_ns=grade.sessions, settings=said))
        assert grade.share == share
    assert grade.next_at is None and "whole sizes" in str(grade)
    assert grade_of(tmp_path, settings, "U7654321").sessions == 0, "of this account alone"
    other = Settings.model_validate({"risk": {"max_position": 5}})
    assert grade_of(tmp_path, other, LIVE).sessions == 0, "of this configuration alone"
    add_session(place, line(reconciled=False, at_ns=100))
    assert grade_of(tmp_path, settings, LIVE).number == 1
    add_session(place, line(at_ns=101, settings=said))
    add_session(place, line(at_ns=102, settings=said, trades=0))
    assert grade_of(tmp_path, settings, LIVE).sessions == 1


def test_limits_keep_their_order_at_every_part() -> None:
    limits = Limits(max_position=5, max_drawdown=None, symbols={"SPY": {"max_position": 3}})
    for _, share in GRADES:
        part = capped(limits, share)  # an override that were looser would raise
        assert part.max_position is not None and part.max_position >= 1 and part.max_drawdown is None
        assert part.max_daily_loss == Decimal(10_000) * share and part.stale_quote_s == limits.stale_quote_s
    assert capped(limits, Decimal(1)) == limits
    assert capped(limits, Decimal("0.5")).to_plain()["max_daily_loss"] == "5000"


@pytest.mark.parametrize(
    ("sizing", "whole", "tenth"),
    [
        (Shares(Decimal(100)), 100, 10),
        (Shares(Decimal(5)), 5, 1),
        (Allocation(Decimal(2_500)), 25, 2),
        (Allocation(Decimal(50)), 0, 0),
        (Kelly(Decimal(1), Decimal("0.02")), 100, 10),
    ],
)
def test_a_part_of_each_size(sizing: object, whole: int, tenth: int) -> None:
    basis = Basis(
        price=Decimal(100), risk=Decimal(2), reward=Decimal(4), equity=Decimal(10_000), confidence=0.9
    )
    part = replace(basis, share=Decimal("0.1"))
    assert quantity_for(sizing, basis) == whole  # type: ignore[arg-type]
    assert quantity_for(sizing, part) == tenth  # type: ignore[arg-type]
