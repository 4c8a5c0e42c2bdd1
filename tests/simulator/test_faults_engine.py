"""When faults are played: times, events, chance, files; what is wrong with a file is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.simulator.client import Connect, Start
from tests.simulator.scene import (
    cancel,
    codes,
    error,
    place,
    ready,
    scene,
    settled,
    status_of,
    until,
    until_closed,
)

from tws.errors import ConfigError, DataError
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.faults import REGISTRY, Fault, about, build, load, scenarios
from tws.simulator.faults.base import span_ns
from tws.simulator.faults.engine import Faults
from tws.simulator.faults.link import Notice

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("250ms", 250_000_000),
        ("1.5s", 1_500_000_000),
        ("2m", 120 * 10**9),
        (3, 3 * 10**9),
        ("-1h", -3600 * 10**9),
        ("", 0),
    ],
)
def test_spans(text: str, ns: int) -> None:
    assert span_ns(text) == ns


@pytest.mark.parametrize("text", ["soon", "5 parsecs", "--1", "1e400s", "nan"])
def test_no_spans(text: str) -> None:
    with pytest.raises(ConfigError, match="length of time"):
        span_ns(text)


async def test_a_value_or_a_name(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play(Notice(code=71))
    sim.faults.play("notice", code="72")  # as the command line writes it
    sim.faults.play(Notice(code=73), at="10ms")
    await error(client, 73)
    assert codes(client) == [71, 72, 73]


async def test_at_and_every(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("notice", code=5, at="40ms")
    sim.faults.play("notice", code=6, every="10ms", times=3)
    sim.faults.play("notice", code=7, at="1h")
    assert [row["name"] for row in sim.faults.status()] == ["notice"] * 3
    await error(client, 5)
    await settled(client)
    assert codes(client) == [6, 6, 6, 5]
    assert [row["state"][:3] for row in sim.faults.status()] == ["in "]
    sim.faults.clear()
    assert sim.faults.status() == []


@pytest.mark.parametrize(
    "event", ["order placed", "fill", "cancel", "request:PlaceOrderRequest", "message:11", "message:5"]
)
async def test_at_an_event(start: Start, connect: Connect, event: str) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("notice", code=5, on=event)
    sim.faults.play("notice", code=6, on=event, nth=2, after="5ms")
    sim.faults.play("notice", code=7, on="message:199")
    await settled(client)
    assert codes(client) == []
    place(client, 1)
    place(client, 2, lmt=90.0)
    cancel(client, 2)
    await error(client, 5)
    await status_of(client, 2, "Cancelled")
    if event in ("fill", "message:11", "cancel"):
        assert 6 not in codes(client)
        place(client, 3)
        place(client, 4, lmt=90.0)
        cancel(client, 4)
    await error(client, 6)
    await settled(client)
    assert codes(client).count(5) == 1 and 7 not in codes(client)


async def test_times_of_an_event(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("notice", code=5, on="fill", nth=2, times=2)
    for order_id in range(1, 6):
        place(client, order_id)
    await status_of(client, 5, "Filled")
    await settled(client)
    assert codes(client) == [5, 5]


async def test_connect_is_an_event(start: Start, connect: Connect) -> None:
    sim, _ = await scene(start, connect)
    sim.faults.play("cut", on="connect", nth=2)
    await ready(connect, sim, 2)
    with pytest.raises((ConnectionError, AssertionError)):
        await ready(connect, sim, 3)


async def test_a_cut_at_a_request_loses_it(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("cut", on="request:PlaceOrderRequest")
    place(client, 1)
    await until_closed(client)
    assert not sim.exchange.executions()


def drawn(seed: int) -> list[bool]:
    faults = SimulatedTWS(SimulatorOptions(seed=seed)).faults
    played: list[bool] = []
    for _ in range(40):
        before = faults.skew_ns
        faults.play("clock-skew", by=1, chance=0.5)
        played.append(faults.skew_ns != before)
    return played


def test_chance_is_the_seeds() -> None:
    assert drawn(1) == drawn(1) != drawn(2)
    assert 5 < sum(drawn(1)) < 35


async def test_times_follow_the_market(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect, speed=100.0)
    sim.faults.play("notice", code=5, at="30s")
    begun_ns = sim.now_ns()
    await error(client, 5)
    assert sim.now_ns() >= begun_ns + 30 * 10**9


async def test_at_the_end_of_time_what_lasts_ends(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect, speed="max", paused=True)
    sim.faults.play("mute", lasts="1h")
    sim.faults.play("notice", at="2h")
    sim.resume()
    await until(lambda: not sim.faults.status())
    await settled(client)
    assert codes(client) == []
    sim.faults.play("mute", lasts="1h")  # and what is played later does not stay for ever
    assert sim.faults.status() == []


async def test_stop_one(start: Start, connect: Connect) -> None:
    sim, client = await scene(start, connect)
    sim.faults.play("mute")
    sim.faults.play("clock-skew")
    sim.faults.play("mute", on="fill")
    assert sim.faults.stop("mute") == 2
    assert [row["name"] for row in sim.faults.status()] == ["clock-skew"]
    await settled(client)


# -- files ----------------------------------------------------------------------------------------


async def test_a_file(start: Start, connect: Connect, tmp_path: Path) -> None:
    sim, client = await scene(start, connect)
    path = tmp_path / "mine.toml"
    path.write_text(
        'about = "mine"\n[[fault]]\nname = "notice"\ncode = 5\n\n'
        '[[fault]]\nname = "notice"\nat = "5ms"\ncode = 6\n'
    )
    sim.faults.load(path)
    await error(client, 6)
    assert codes(client) == [5, 6]


BROKEN = {
    "x = 1": ("line 1", "x is no part", ""),
    "[[fault]]\nat = 1": ("line 1", "name is missing", ""),
    '[[fault]]\nname = "cutt"': ("line 2", "cutt", "connectivity-lost"),
    '[[fault]]\nname = "cut"\n\n# more\n[[fault]]\nname = "mute"\nlast = "3s"': ("line 7", "last", "lasts"),
    '[[fault]]\nname = "mute"\nlasts = "soon"': ("line 3", "lasts", "30s, 2m"),
    '[[fault]]\nname = "cut"\nhow = "softly"': ("line 3", "how", "softly"),
    '[[fault]]\nname = "cut"\non = "lunch"': ("line 3", "lunch", "order placed"),
    '[[fault]]\nname = "cut"\non = "request:Nothing"': ("line 3", "Nothing", "request:<class>"),
    '[[fault]]\nname = "cut"\nchance = 7': ("line 3", "chance", "probability"),
    '[[fault]]\nname = "cut"\nat = "-1s"': ("line 3", "at", "past"),
    '[[fault]]\nname = "cut"\nnth = 0': ("line 3", "nth", "ordinal"),
    '[[fault]]\nname = "cut"\nclient = "me"': ("line 3", "client", "me"),
    '[[fault]\nname = "cut"': ("line 1", "no TOML", ""),
    'fault = "cut"': ("line 1", "no [[fault]]", ""),
    "": ("line 1", "no [[fault]]", ""),
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_names_line_and_field(text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as wrong:
        load(path, Faults.check)
    for words in (str(path), *BROKEN[text]):
        assert words in str(wrong.value)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't be read"):
        load(tmp_path / "nothing.toml", Faults.check)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="no UTF-8"):
        load(tmp_path / "binary.toml", Faults.check)
    with pytest.raises(ConfigError, match=r"stormy-orders.*sim ctl list"):
        load("storm", Faults.check)


async def test_a_broken_file_plays_nothing(start: Start, connect: Connect, tmp_path: Path) -> None:
    sim, client = await scene(start, connect)
    path = tmp_path / "broken.toml"
    path.write_text('[[fault]]\nname = "cut"\n[[fault]]\nname = "cutt"\n')
    with pytest.raises(DataError):
        sim.faults.load(path)
    await settled(client)


@pytest.mark.parametrize("name", scenarios())
async def test_each_scenario_is_played(start: Start, connect: Connect, name: str) -> None:
    sim, _ = await scene(start, connect)
    sim.faults.load(name)
    sim.faults.clear()


@pytest.mark.parametrize("name", REGISTRY)
async def test_each_fault_begins_and_ends_with_its_defaults(
    start: Start, connect: Connect, name: str
) -> None:
    sim, _ = await scene(start, connect)
    sim.faults.play(name)
    sim.faults.clear()
    assert sim.faults.status() == []
    assert sim.faults.skew_ns == 0 and not any(sim.faults.hooks.values())
    if name not in ("cut", "restart", "nightly-reset", "port-changed", "pacing-disconnect", "half-open"):
        assert len(sim.sessions) == 1


def test_every_console_can_show_the_catalogue() -> None:
    said = [about(name) for name in scenarios()] + [kind.__doc__ or "" for kind in REGISTRY.values()]
    assert all(said) and [text for text in said if not text.isascii()] == []


def test_no_name_is_a_fault_and_a_scenario() -> None:
    assert not set(REGISTRY) & set(scenarios())


# -- the page -------------------------------------------------------------------------------------


def row(kind: type[Fault]) -> str:
    """The line of the page's table about a fault."""
    made = build(kind.name, {})[0]
    does = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
    fields = ", ".join(
        f"`{name}`" + (f" {value}" if (value := getattr(made, name)) not in ("", None) else "")
        for name in kind.__struct_fields__
    )
    incidents = ", ".join(map(str, kind.incidents))
    return f"| `{kind.name}` | {does} | {fields} | {kind.rests} | {incidents} |"


def test_the_page_lists_the_faults_as_they_are() -> None:
    page = (ROOT / "docs/design/faults.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `[a-z0-9-]+` \|.*\|.*\|.*\|$", page, re.MULTILINE)
    table = [line for line in rows if line.count(" | ") == 4]
    assert table == [row(REGISTRY[name]) for name in sorted(REGISTRY)]
    for name in scenarios():
        assert f"`{name}`" in page
