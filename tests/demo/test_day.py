"""Short days in this process, over a real socket: exact books, flat, repeatable; and checks that can fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.demo.market_files import write_day

from tws.config import Settings
from tws.demo import DemoOptions, DemoReport, Progress, run_demo
from tws.demo.reconcile import reconcile
from tws.errors import ConfigError, DataError, TWSError
from tws.exchange import Exchange
from tws.journal import SQLiteStore, read_journal, verify_journal
from tws.model.records import (
    Booked,
    FlattenMoved,
    Planned,
    Stamped,
    Watched,
    decode_record,
    decode_records,
    encode_record,
)
from tws.risk import Limits
from tws.runtime import Trader, TraderParts
from tws.runtime.fingerprint import code_fingerprint, limits_fingerprint
from tws.simulator import SimulatedTWS, SimulatorOptions

SHORT = DemoOptions(symbols=("CVNA", "SOXL"), last_minutes=30)


def run(options: DemoOptions) -> DemoReport:
    return asyncio.run(run_demo(options))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the day's journal is kept."""
    return tmp_path_factory.mktemp("day") / "journal.sqlite3"


@pytest.fixture(scope="module")
def day(kept: Path) -> DemoReport:
    """One short day, run once for all who only look at it."""
    return run(replace(SHORT, journal=kept))


def test_the_books_agree_and_all_is_flat(day: DemoReport) -> None:
    assert day.exact, [check for check in day.checks if not check.exact]
    assert day.flat and not day.interrupted
    assert day.fates["traded"] >= 1, "a day without a trade proves nothing"
    assert sum(result.fills for result in day.results) >= 2
    assert all(result.position == 0 for result in day.results)
    assert not set(day.orders) - {"filled", "cancelled"}, "an order is left"
    assert sum(day.fates.values()) == day.signals
    assert {"executions", "positions", "orders still open"} <= {check.what for check in day.checks}
    assert 29 * 60 <= day.market_seconds <= 32 * 60


def test_figures_stand_beside_their_bounds(day: DemoReport, kept: Path) -> None:
    """Reckoned once more here, from the journal's records alone."""
    found = {each.what: each for each in day.measures}
    bare: dict[str, int] = {}
    longest_ns = 0
    for record in decode_records(read_journal(kept)):
        if isinstance(record, Watched) and record.bare:
            bare[record.group_id] = record.at_ns
        elif isinstance(record, Watched):
            longest_ns = max(longest_ns, record.at_ns - bare.pop(record.group_id))
    shown = found["held without a full stop, longest"]
    assert not bare and shown.measured == longest_ns / 1e9 and shown.bound == 5
    assert found["alarms"].measured == len(day.alarms) and found["alarms"].bound == 0
    assert all(each.held for each in day.measures), day.measures
    assert not replace(shown, measured=5.1).held and not replace(shown, measured=None).held


def test_the_journal_names_the_code_and_the_configuration(day: DemoReport, kept: Path) -> None:
    """Once at the start; the report's fingerprint covers it, so equal runs are runs of equal code."""
    stamps = [each for each in decode_records(read_journal(kept)) if isinstance(each, Stamped)]
    (stamp,) = stamps
    assert (stamp.code, stamp.configuration) == (code_fingerprint(), limits_fingerprint(SHORT.limits))


def test_money_adds_up(day: DemoReport) -> None:
    assert day.net == sum((row.gross - row.commissions for row in day.results), Decimal(0))
    fees = next(check for check in day.checks if check.what == "commissions")
    assert Decimal(fees.broker) == sum((row.commissions for row in day.results), Decimal(0)) > 0


def test_the_same_seed_gives_the_same_run(day: DemoReport) -> None:
    again, other = run(SHORT), run(replace(SHORT, seed=8))
    assert again.fingerprint == day.fingerprint
    assert (again.results, again.checks, again.messages) == (day.results, day.checks, day.messages)
    assert other.fingerprint != day.fingerprint
    assert other.exact and other.flat


class Slow(SQLiteStore):
    """A disk that now and then takes its time."""

    turns = 0

    async def _late(self, commit: asyncio.Future[None]) -> None:
        await asyncio.sleep(0.02 if self.turns % 7 == 0 else 0)
        await commit

    def commit(self) -> asyncio.Future[None]:
        self.turns += 1
        return asyncio.ensure_future(self._late(super().commit()))


def test_the_speed_of_the_machine_changes_nothing(monkeypatch: pytest.MonkeyPatch, day: DemoReport) -> None:
    """Market time stands while anything is under way, or a slow disk would move fills to other prices."""
    monkeypatch.setattr("tws.demo.run.SQLiteStore", Slow)
    assert run(SHORT).fingerprint == day.fingerprint


def test_the_pace_of_tws_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, day: DemoReport, caplog: pytest.LogCaptureFixture
) -> None:
    """An order that waits its turn by the machine's clock keeps the market: it was passed by, and called one
    that TWS never acknowledged.
    """
    slow = Settings.model_validate({"connection": {"pacing": {"messages_per_s": 12}}})
    monkeypatch.setattr("tws.demo.run.TraderParts", partial(TraderParts, settings=slow))
    assert run(SHORT).fingerprint == day.fingerprint
    assert not [each.message for each in caplog.records if each.levelno >= logging.WARNING]


def run_until_held(options: DemoOptions, press: Callable[[], object] = lambda: None) -> DemoReport:
    """Ctrl-C as soon as something is held; `press` is called directly before."""

    pressed: list[Progress] = []

    async def day() -> DemoReport:
        def look(progress: Progress) -> None:
            if progress.open_positions and not pressed:
                pressed.append(progress)
                press()
                running.cancel()

        running = asyncio.create_task(run_demo(options, look))
        return await running

    return asyncio.run(day())


def test_a_broker_that_has_fallen_silent_can_t_keep_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The winding down has a bound, and what it did not reach is told."""
    made: list[SimulatedTWS] = []

    def simulator(options: SimulatorOptions) -> SimulatedTWS:
        made.append(SimulatedTWS(options))
        return made[0]

    def fall_silent() -> None:
        made[0].faults.mute = True

    monkeypatch.setattr("tws.demo.run.SimulatedTWS", simulator)
    monkeypatch.setattr("tws.demo.run.WIND_DOWN_S", 0.3)
    report = run_until_held(replace(SHORT, last_minutes=60), fall_silent)
    assert report.interrupted and not report.flat


def test_no_signal_acts_after_ctrl_c(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The market runs on while the day is wound down; here that takes many market minutes."""
    flatten = Trader.flatten
    planned: list[int] = []

    def plans() -> int:
        return sum(isinstance(record, Planned) for record in decode_records(read_journal(journal)))

    async def dawdle(self: Trader, *arguments: Any, **options: Any) -> bool:
        planned.append(plans())
        await asyncio.sleep(0.5)
        planned.append(plans())
        return await flatten(self, *arguments, **options)

    monkeypatch.setattr(Trader, "flatten", dawdle)
    journal = tmp_path / "journal.sqlite3"
    report = run_until_held(DemoOptions(journal=journal))
    assert report.interrupted and report.flat and report.exact
    assert planned[0] == planned[1] >= 1


def test_the_gate_s_refusals_are_told() -> None:
    report = run(replace(SHORT, limits=Limits(max_order_quantity=1)))
    assert report.denials == {"max_order_quantity": report.fates["denied"]}
    assert report.fates["traded"] == 0 < report.fates["denied"]
    assert report.exact and report.flat, "a day without orders is exact too"


def test_the_report_s_keys_are_promised(day: DemoReport) -> None:
    """Programs read `tws demo --json`: a key may be added here, none may go."""
    from tws.cli.demo_view import as_json_value

    value = as_json_value(day)
    assert list(value) == [
        "seed", "market", "day", "interrupted", "market_seconds", "wall_seconds", "ready_seconds", "messages",
        "signals", "fates", "reasons", "denials", "alarms", "orders", "results", "entry_slippage",
        "stop_slippage", "target_slippage", "checks", "measures", "flat", "journal_records", "head",
        "fingerprint",
        "exact", "net",
    ]
    assert list(value["results"][0]) == [
        "symbol", "strategy", "signals", "trades", "targets", "stops", "closed", "fills", "shares", "gross",
        "commissions", "net", "position",
    ]
    assert list(value["checks"][0]) == ["what", "journal", "desk", "broker", "exact"]
    assert list(value["measures"][0]) == ["what", "measured", "bound", "unit", "held"]
    assert isinstance(value["net"], str) and value["exact"] is True


# -- the checks can fail


def inexact(report: DemoReport) -> set[str]:
    return {check.what for check in report.checks if not check.exact}


def test_a_wrong_price_in_the_broker_s_books_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker's books go wrong once the day is over: the desk has heard the truth."""
    true = Exchange.executions

    def wrong(self: Exchange, *arguments: Any) -> tuple[Any, ...]:
        first, *others = true(self, *arguments)
        return (replace(first, executed=replace(first.executed, price=first.executed.price + 1)), *others)

    def planted(*arguments: Any) -> Any:
        monkeypatch.setattr(Exchange, "executions", wrong)
        return reconcile(*arguments)

    monkeypatch.setattr("tws.demo.run.reconcile", planted)
    report = run(SHORT)
    assert not report.exact and report.flat
    assert inexact(report) == {"executions"}


class Forgetful(SQLiteStore):
    """A journal that loses the first fill it is given."""

    lost = 0

    def append(self, records: Sequence[bytes]) -> None:
        super().append(list(self._kept(records)))

    def _kept(self, records: Iterable[bytes]) -> Iterable[bytes]:
        for record in records:
            if isinstance(decode_record(record, 1), Booked) and not self.lost:
                self.lost += 1
            else:
                yield record


class Embellishing(SQLiteStore):
    """A journal that writes each fill one cent cheaper."""

    def append(self, records: Sequence[bytes]) -> None:
        super().append([self._embellished(record) for record in records])

    def _embellished(self, record: bytes) -> bytes:
        booked = decode_record(record, 1)
        if not isinstance(booked, Booked):
            return record
        fill = booked.execution
        return encode_record(replace(booked, execution=replace(fill, price=fill.price - Decimal("0.01"))))


@pytest.mark.parametrize(("store", "seen"), [
    (Forgetful, {"executions", "shares traded", "positions"}), (Embellishing, {"executions"}),
])
def test_a_journal_that_lies_shows(
    monkeypatch: pytest.MonkeyPatch, store: type[SQLiteStore], seen: set[str]
) -> None:
    monkeypatch.setattr("tws.demo.run.SQLiteStore", store)
    report = run(SHORT)
    assert not report.exact
    assert seen <= inexact(report)


def test_an_inexact_day_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from tws.cli.app import main

    monkeypatch.setattr("tws.demo.run.SQLiteStore", Embellishing)
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--data", str(write_day(tmp_path, "SPY")), "--symbol", "CVNA=SPY"])
    out = capsys.readouterr().out
    assert ended.value.code == 1, out
    assert "THE BOOKS DIFFER" in out


# -- files


def test_a_file_that_ends_before_the_close_ends_the_day(tmp_path: Path) -> None:
    """What is open then is cancelled and closed, and the report comes: nobody waits for ever."""
    files = (write_day(tmp_path, "SPY", to_close=False), write_day(tmp_path, "SOXL", to_close=False))
    journal = tmp_path / "journal.sqlite3"
    report = run(DemoOptions(data=files, journal=journal, stop_atr=60.0, target_atr=60.0))
    assert report.exact and report.flat and not report.interrupted
    assert report.fates["traded"] >= 1
    assert verify_journal(journal, report.head).records == report.journal_records
    records = list(decode_records(read_journal(journal)))
    assert "end of data" in {record.reason for record in records if isinstance(record, FlattenMoved)}


def test_a_row_that_breaks_off_in_the_middle_of_the_day(tmp_path: Path) -> None:
    path = write_day(tmp_path, "SPY", minutes=3)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[90] = lines[90].replace(",", ",oops", 1)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(DataError) as wrong:
        run(DemoOptions(data=(path,)))
    assert wrong.value.line == 91 and wrong.value.path.endswith(path.name) and "oops" in wrong.value.reason


def test_ticks_of_a_gzipped_file(tmp_path: Path) -> None:
    report = run(DemoOptions(data=(write_day(tmp_path, "IBM", kind="ticks"),), symbol_map={"CVNA": "IBM"}))
    assert report.exact and report.flat
    assert [result.symbol for result in report.results] == ["IBM", "CVNA"]
    assert report.fates["traded"] >= 1


def test_files_of_different_days_are_refused(tmp_path: Path) -> None:
    files = (write_day(tmp_path, "SPY"), write_day(tmp_path, "IBM", day=date(2026, 1, 6)))
    with pytest.raises(ConfigError, match=r"SPY-.* of 2026-01-05, IBM-.* of 2026-01-06"):
        run(DemoOptions(data=files))


def test_two_files_of_one_symbol_are_refused(tmp_path: Path) -> None:
    files = (write_day(tmp_path, "SPY"), write_day(tmp_path, "SPY", kind="ticks"))
    with pytest.raises(ConfigError, match="one symbol"):
        run(DemoOptions(data=files))


def test_a_day_without_a_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no session is left on 2026-01-04"):
        run(DemoOptions(data=(write_day(tmp_path, "SPY", minutes=2, day=date(2026, 1, 4)),)))


@pytest.mark.parametrize("text", ["", "time_utc_ms,kind,price,size,exchange\n", "a,b\n1,2\n"])
def test_a_file_without_rows_or_of_no_known_form(tmp_path: Path, text: str) -> None:
    path = tmp_path / "SPY-2026-01-05-1s.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="line 1"):
        run(DemoOptions(data=(path,)))


def test_a_symbol_that_tws_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(TWSError, match="200"):
        run(DemoOptions(data=(write_day(tmp_path, "SPY", minutes=2),), symbols=("NOSUCH",)))


def test_an_existing_journal_is_not_touched(tmp_path: Path) -> None:
    journal = tmp_path / "precious.sqlite3"
    journal.write_bytes(b"precious")
    with pytest.raises(ConfigError, match="exists already"):
        run(replace(SHORT, journal=journal))
    assert journal.read_bytes() == b"precious"


@pytest.mark.data
def test_recorded_ticks(data_folder: Path) -> None:
    """The real files, each day whole, is `make test-data`'s business; here a real file's beginning."""
    report = run(DemoOptions(data=(data_folder / "IBM-2013-10-08-ticks.csv.gz",)))
    assert report.exact and report.flat
