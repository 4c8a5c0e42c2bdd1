"""What a file says that makes no sense, by what it is sized; what fails late is said before a dial."""

from __future__ import annotations

import socket
from decimal import Decimal
from pathlib import Path

import pytest
from tests.doctor.scene import simulated
from tests.preflight.scene import about, blockers, connected, one, plan_of, written

from tws.errors import ConfigError
from tws.preflight.file import check_file
from tws.preflight.line import Weight
from tws.preflight.sense import sizes
from tws.runtime.place import Place
from tws.safety import SafetyFile

HOOK = """
[[signals]]
kind = "webhook"
name = "hook"
symbols = ["QQQ"]
shares = 1
port = {port}
"""
TOKEN = {"WEBHOOK_TOKEN": "0123456789abcdef"}


def sized(folder: Path, port: int, size: str, more: str = "") -> Path:
    """The configuration of a scene with another size."""
    path = written(folder, port, more=more)
    path.write_text(path.read_text(encoding="utf-8").replace("shares = 10", size), encoding="utf-8")
    return path


def hooked(folder: Path, *ports: int) -> Path:
    """The same with receivers instead of the file."""
    path = folder / "trader.toml"
    hooks = [HOOK.format(port=port) for port in ports]
    hooks[1:] = [hook.replace('"hook"', '"other"').replace("QQQ", "SPY") for hook in hooks[1:]]
    path.write_text("[connection]\nport = 7400\n" + "".join(hooks), encoding="utf-8")
    return path


EQUITY_SIZES = ["risk_fraction = 0.01", "volatility_target = 0.1", "kelly_fraction = 0.25"]


@pytest.mark.parametrize("size", EQUITY_SIZES)
def test_a_size_by_the_equity_is_no_allocation(tmp_path: Path, size: str) -> None:
    """A limit below the default allocation of 10,000 says nothing about it."""
    assert not blockers(check_file(sized(tmp_path, 7400, size, "[risk]\nmax_order_notional = 5000")))


@pytest.mark.parametrize(
    ("size", "most"),
    [
        ("risk_fraction = 0.01", "50000.00"),  # 1% of 100,000 is lost on 2% of the price
        ("volatility_target = 0.1", "100000"),
        ("kelly_fraction = 0.25", "100000.00"),  # kelly_cap, 2%, on 2%
        ("allocation = 30_000", "30000"),
    ],
)
def test_what_an_entry_is_worth_at_most_by_the_account(tmp_path: Path, size: str, most: str) -> None:
    plan = plan_of(sized(tmp_path, 7400, size))
    line = one(sizes(plan, Decimal(100_000), Decimal(20_000)), "buying power")
    assert line.weight is Weight.WARNING and f"one entry of {most}:" in line.text
    assert one(sizes(plan, Decimal(100_000), Decimal(200_000)), "buying power").weight is Weight.OK


def test_part_of_a_share_is_no_size(tmp_path: Path) -> None:
    (line,) = blockers(check_file(sized(tmp_path, 7400, "shares = 0.5")))
    assert line.about == "shares" and "no whole one" in line.text
    assert not blockers(check_file(sized(tmp_path, 7400, "shares = 1.5"))), "of which one is let"


def test_a_size_by_the_equity_beyond_a_limit_is_a_warning(tmp_path: Path) -> None:
    plan = plan_of(sized(tmp_path, 7400, "risk_fraction = 0.01", "[risk]\nmax_order_notional = 5000"))
    line = one(sizes(plan, Decimal(100_000), None), "risk.max_order_notional")
    assert line.weight is Weight.WARNING and "50000.00" in line.text and line.cure
    assert not about(sizes(plan, Decimal(5_000), None), "risk.max_order_notional")


def test_an_account_whose_worth_is_not_told_sizes_nothing(tmp_path: Path) -> None:
    plan = plan_of(sized(tmp_path, 7400, "risk_fraction = 0.01"))
    assert blockers(sizes(plan, None, Decimal(1)))[0].about == "equity"


@pytest.mark.parametrize("size", ["shares = 10", "allocation = 10_000", *EQUITY_SIZES])
async def test_every_size_is_fine_on_a_healthy_tws(tmp_path: Path, size: str) -> None:
    async with simulated() as (_, port):
        more = "[risk]\nmax_order_notional = 3_000_000\nmax_position_notional = 3_000_000\n"
        more += "max_symbol_notional = 3_000_000"
        lines = await connected(sized(tmp_path, port, size, more))
        assert not blockers(lines)
        assert one(lines, "buying power").weight is Weight.OK
        assert len(about(lines, "equity")) == (size in EQUITY_SIZES)


def test_a_receiver_s_port_that_is_taken_is_said_before_a_dial(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = hooked(tmp_path, port)
        line = one(blockers(check_file(path, tmp_path / "state", TOKEN)), "signals.port")
        assert str(port) in line.text and line.line == 9
        with SafetyFile(Place(tmp_path / "state" / "7400-1").safety) as safety:  # its trader listens there
            safety.take_lease(client_id=1, account="", at_ns=1)
            assert not blockers(check_file(path, tmp_path / "state", TOKEN))
    assert not blockers(check_file(path, tmp_path / "state", TOKEN))


def test_two_receivers_on_one_port_are_one_too_many(tmp_path: Path) -> None:
    line = one(blockers(check_file(hooked(tmp_path, 8765, 8765), tmp_path / "state", TOKEN)), "signals.port")
    assert "two receivers" in line.text
    assert not blockers(check_file(hooked(tmp_path, 0, 0), tmp_path / "state", TOKEN)), "0 is any free one"


def test_an_extra_that_is_missing_is_named_with_its_line_of_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    [line] = blockers(check_file(hooked(tmp_path, 0), tmp_path / "state", TOKEN))
    assert "tws-trading-framework[webhook]" in line.cure


def test_a_past_that_can_t_be_kept_is_a_warning_where_indicators_want_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tws.preflight.sense.find_spec", lambda name: None)
    assert not about(check_file(written(tmp_path, 7400)), "warm_up"), "stop and target are percents"
    by_atr = sized(tmp_path, 7400, "shares = 10\nstop_atr = 6")
    by_atr.write_text(by_atr.read_text("utf-8").replace("stop_fraction = 0.02", ""), encoding="utf-8")
    line = one(check_file(by_atr), "warm_up")
    assert line.weight is Weight.WARNING and "tws-trading-framework[parquet]" in line.cure


def test_limits_of_what_nobody_trades_are_told(tmp_path: Path) -> None:
    more = "[risk.symbols.SPYY]\nmax_position = 5\n[risk.symbols.SPY]\nmax_position = 20"
    line = one(check_file(written(tmp_path, 7400, more=more)), "risk.symbols.SPYY")
    assert line.weight is Weight.WARNING and "there are SPY" in line.cure and line.line
    more = '[risk.strategies.momentun]\nmax_position = 5\n'
    more += '[[strategies]]\nkind = "breakout"\nsymbols = ["GLD"]'
    open_to_all = written(tmp_path, 7400, more=more)
    assert not about(check_file(open_to_all), "risk.strategies.momentun"), "any model may speak there"
    text = open_to_all.read_text(encoding="utf-8")
    open_to_all.write_text(text.replace("shares = 10", 'shares = 10\nmodels = ["a"]'), encoding="utf-8")
    assert "opening-range" in one(check_file(open_to_all), "risk.strategies.momentun").cure


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ('[connection.maintenance]\nauto_restart = "23:45"', "connection.maintenance.auto_restart_zone"),
        ("[connection.pacing]\nlines = 1_000_001", "connection.pacing.lines"),
        ('[codes.4711]\norder = "bogus"', "codes.4711.order"),
    ],
)
def test_pace_calendar_and_codes_are_judged_with_their_section(tmp_path: Path, more: str, field: str) -> None:
    assert [line.about for line in blockers(check_file(written(tmp_path, 7400, more=more)))] == [field]


def test_a_wrong_file_keeps_a_run_from_a_dial(tmp_path: Path) -> None:
    """The port of a receiver is asked for before TWS is."""
    from tws.config import load_settings
    from tws.runtime.plan import plan_run
    from tws.runtime.run import Run

    with socket.create_server(("127.0.0.1", 0)) as taken:
        path = hooked(tmp_path, taken.getsockname()[1])
        (tmp_path / ".env").write_text("WEBHOOK_TOKEN=0123456789abcdef\n", encoding="utf-8")
        run = Run(plan_run(load_settings(path), path, tmp_path / "state"))
        with pytest.raises(ConfigError, match=r"signals\.port"):
            __import__("asyncio").run(run.go(0.1))
        assert run.trader.connection.failure is None, "nothing was dialled"
