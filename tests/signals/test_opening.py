"""From a configuration to running sources; from their signals through the gate into book and journal."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import httpx
import pytest

from tws.clock import NS_PER_S, SystemClock
from tws.config import Settings, load_settings
from tws.errors import ConfigError, DataError
from tws.model.records import SignalJudged, decode_record, encode_record
from tws.model.session import Session
from tws.model.signal import Signal
from tws.signals import Sources
from tws.signals.demo_api import DemoApi, SeededPredictions
from tws.signals.demo_server import DemoServer, DemoTransport
from tws.signals.http import HttpSource
from tws.signals.opening import Surroundings, gate_rules, open_sources
from tws.strategy import FateBook, ModelLimits, Outcome, SignalGate
from tws.world import VirtualLoop, WorldClock

CLOCK = SystemClock()
ENV = {"API_KEY": "demo", "WEBHOOK_TOKEN": "a-token-of-twenty-four-signs"}
EIGHT = '["CVNA", "UVXY", "SOXL", "SOXS", "TQQQ", "SQQQ", "GLD", "SLV"]'


def load(folder: Path, text: str) -> Settings:
    file = folder / "tws.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def around(folder: Path, environ: dict[str, str] | None = None) -> Surroundings:
    return Surroundings(
        clock=CLOCK, rng=random.Random(1), folder=folder, environ=ENV if environ is None else environ
    )


def http(url: str, symbols: str = '["SPY"]', more: str = "") -> str:
    return f'[[signals]]\nkind = "http"\nsymbols = {symbols}\nbase_url = "{url}"\n{more}\n'


async def test_all_kinds_open_run_and_end(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "f", "symbol": "SPY", "signal": "BUY", "time": 1}\n', "utf-8")
    (tmp_path / "b.csv").write_text("signal_id,symbol,wish,time_ns\nc,IBM,BUY,1\n", "utf-8")
    api = DemoApi(SeededPredictions(7, window_s=3600), CLOCK, random.Random(7), per_minute=10**6)
    pytest.importorskip("uvicorn")
    with DemoServer(api) as server:
        text = (
            '[[signals]]\nfile = "a.jsonl"\nname = "a"\nsymbols = ["SPY"]\n'
            '[[signals]]\nfile = "b.csv"\nname = "b"\nsymbols = ["IBM"]\n'
            + http(server.url, '["GLD"]', "per_minute = 6000")
            + '[[signals]]\nkind = "webhook"\nport = 0\nsymbols = ["SLV"]\n'
        )
        opened = open_sources(load(tmp_path, text), around(tmp_path))
        async with Sources(opened) as sources:
            headers = {"X-Webhook-Token": ENV["WEBHOOK_TOKEN"]}
            body = {"id": "w", "symbol": "SLV", "signal": "BUY", "time": 1}
            async with httpx.AsyncClient(trust_env=False) as client:
                port = opened[3].port  # type: ignore[attr-defined]
                answer = await client.post(f"http://127.0.0.1:{port}/signal", json=body, headers=headers)
            assert answer.status_code == 202
            heard: dict[str, Signal] = {}
            while len(heard) < 4:
                for taken in sources.take(CLOCK.now_ns()):
                    assert isinstance(taken.value, Signal)
                    heard[taken.source] = taken.value
                await asyncio.sleep(0.01)
    assert {name: signal.symbol for name, signal in heard.items()} == {
        "a": "SPY", "b": "IBM", "api": "GLD", "webhook": "SLV",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "environ", "words"),
    [
        (http("https://x.example"), {}, "API_KEY"),
        (http("https://x.example"), {"API_KEY": "two words"}, "API_KEY"),
        ('[[signals]]\nkind = "http"\nsymbols = ["SPY"]', {"API_KEY": "k"}, "API_BASE_URL"),
        ('[[signals]]\nkind = "http"\nsymbols = ["SPY"]', {"API_KEY": "k", "API_BASE_URL": "x"}, "no http"),
        (
            '[[signals]]\nkind = "http"\nsymbols = ["SPY"]',
            {"API_KEY": "k", "API_BASE_URL": "http://x.example"},
            "plain_http",
        ),
        ('[[signals]]\nkind = "webhook"\nsymbols = ["SPY"]', {}, "WEBHOOK_TOKEN"),
        ('[[signals]]\nkind = "webhook"\nsymbols = ["SPY"]', {"WEBHOOK_TOKEN": "short"}, "at least 16"),
        (http("https://x.example", more='ca_file = "none.pem"'), ENV, "none.pem"),
    ],
)
def test_what_is_missing_is_named_before_anything_runs(
    tmp_path: Path, text: str, environ: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as wrong:
        open_sources(load(tmp_path, text), around(tmp_path, environ))
    assert "two words" not in str(wrong.value)


def test_a_csv_that_is_none_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("signal_id\nx\n", "utf-8")
    with pytest.raises(DataError, match="line 2"):
        open_sources(load(tmp_path, '[signals]\nfile = "a.csv"\nsymbols = ["SPY"]'), around(tmp_path))


def test_secrets_come_from_the_file_beside_the_configuration_and_the_environment_goes_before(
    tmp_path: Path,
) -> None:
    (tmp_path / ".env").write_text("export API_KEY=of-the-file\n", "utf-8")
    settings = load(tmp_path, http("https://x.example"))
    for environ, expected in (({}, "of-the-file"), ({"API_KEY": "of-the-shell"}, "of-the-shell")):
        (source,) = open_sources(settings, around(tmp_path, environ))
        assert isinstance(source, HttpSource) and source._key.text == expected
        assert expected not in repr(source._key)


def test_sections_with_one_key_share_the_lower_rate(tmp_path: Path) -> None:
    text = (
        http("https://x.example", '["A"]', 'name = "a"\nper_minute = 30')
        + http("https://x.example", '["B"]', 'name = "b"\nper_minute = 10')
        + http("https://y.example", '["C"]', 'name = "c"')
    )
    one, two, other = open_sources(load(tmp_path, text), around(tmp_path))
    assert one._pace is two._pace is not other._pace  # type: ignore[attr-defined]
    assert one._pace._interval_s > other._pace._interval_s  # type: ignore[attr-defined]


def test_the_gate_of_a_section(tmp_path: Path) -> None:
    text = http(
        "https://x.example", '["A"]',
        'models = ["m"]\nthreshold = 0.6\n[signals.each_model]\nper_day = 4\n'
        "[signals.model_limits.m]\nper_minute = 1",
    )  # fmt: skip
    rules = gate_rules(load(tmp_path, text).signals[0])
    assert (rules.symbols, rules.models, rules.threshold) == (("A",), ("m",), 0.6)
    assert rules.each_model == ModelLimits(per_day=4)
    assert rules.limits == {"m": ModelLimits(per_minute=1)}


def test_an_hour_of_the_eight_tickers_with_faults_every_signal_accounted_for(tmp_path: Path) -> None:
    """The typical configuration, polled in virtual time; what the journal would hold is what happened."""
    loop = VirtualLoop()
    clock = WorldClock(loop)
    rates = {"html": 0.05, "half-json": 0.03, "500": 0.03, "too-sure": 0.03, "future": 0.03, "renamed": 0.02}
    api = DemoApi(SeededPredictions(3), clock, random.Random(3), rates=rates)
    settings = load(tmp_path, http("http://127.0.0.1", EIGHT))
    where = Surroundings(
        clock=clock, rng=random.Random(1), folder=tmp_path, environ=ENV, transport=DemoTransport(api)
    )
    gate, book = SignalGate(gate_rules(settings.signals[0])), FateBook()
    session = Session(clock.now_ns(), clock.now_ns() + 7200 * NS_PER_S)
    rows: list[object] = []

    async def main() -> None:
        async with Sources(open_sources(settings, where)) as sources:
            for _ in range(3600):
                await asyncio.sleep(1)
                now_ns = clock.now_ns()
                for taken in sources.take(now_ns):
                    if not isinstance(taken.value, Signal):
                        book.refused(taken.source, gate.keep(taken.value))
                    elif (refusal := gate.judge(taken.value, now_ns, session)) is not None:
                        book.refused(taken.source, refusal, taken.value)
                    else:
                        book.passed(taken.source, taken.value, now_ns)
                        gate.entered(taken.value.symbol, now_ns)
                rows.extend(book.take_records(now_ns))
        (health,) = sources.health()
        assert health.signals + health.counts["schema"] == book.heard
        assert health.errors == book.trouble.total()

    loop.run(main())
    assert book.heard == book.counts.total() > 300
    assert {"schema", "future", "threshold", "neutral", "cooldown"} <= set(book.reasons)
    assert {"HTML instead of JSON", "not JSON", "http status", "schema drift"} == set(book.trouble)
    written = [row for row in rows if isinstance(row, SignalJudged)]
    assert len(written) == book.heard
    assert sum(row.passed for row in written) == gate.passed == book.counts[Outcome.PASSED] > 20
    assert all(decode_record(encode_record(row)) == row for row in written)
