"""A universe file: what it adds and changes, and how it tells what is wrong with it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.simulator.client import Connect, Start

from tws.errors import DataError
from tws.simulator.universe import SYNTHETIC_FROM, Universe, Wanted
from tws.simulator.universe.file import load_universe
from tws.wire.messages import ContractData, ContractDataRequest, ErrorMessage, TickPrice, WireContract
from tws.wire.messages import MarketDataRequest as Ask

GOOD = """\
# a comment
[[instrument]]
symbol = "ACME"
name = "ACME CORP"
price = 42.5
trading = true

[[instrument]]
symbol = "AAPL"
price = 500.0

[[instrument]]
symbol = "NOK"
sec_type = "CASH"
currency = "SEK"
exchange = "IDEALPRO"
tick = "0.00005"
hours = "FX"

[[future]]
symbol = "HO"
exchange = "NYMEX"
multiplier = 42000
tick = "0.0001"
price = 2.3
months = "monthly"
expiry = "gas"
hours = "NYMEX"

[[options]]
underlying = "ACME"
step = 2.5
"""


def load(folder: Path, text: str) -> Universe:
    path = folder / "more.toml"
    path.write_text(text, encoding="utf-8")
    return load_universe(path)


def test_a_file_adds_and_overrides(tmp_path: Path) -> None:
    universe = load(tmp_path, GOOD)
    acme = universe.symbol("ACME")
    assert acme is not None and acme.con_id >= SYNTHETIC_FROM
    assert acme in universe.securities and acme.long_name == "ACME CORP"
    apple = universe.get(265598)
    assert apple is not None and (apple.price, apple.primary_exchange) == (500.0, "NASDAQ")
    assert apple in universe.securities  # it still trades from the start
    (pair,) = universe.find(Wanted(symbol="NOK", sec_type="CASH", currency="SEK", exchange="IDEALPRO"))
    assert (pair.local_symbol, pair.tick, pair.market_rules) == ("NOK.SEK", Decimal("0.00005"), (239,))
    heating = universe.find(Wanted(symbol="HO", sec_type="FUT", exchange="NYMEX"))
    assert heating[0].local_symbol.startswith("HO") and heating[0].multiplier == "42000"
    assert universe.get(heating[0].con_id) == heating[0]
    options = universe.find(Wanted(symbol="ACME", sec_type="OPT", expiry="20261218"))
    assert options and universe.get(options[0].con_id) == options[0]
    assert options[0].under_con_id == acme.con_id
    dear = universe.find(Wanted(symbol="AAPL", sec_type="OPT", expiry="20261218", strike=502.5, right="C"))
    assert len(dear) == 1  # the chain follows the changed price


def test_the_same_file_gives_the_same_ids(tmp_path: Path) -> None:
    first, again = load(tmp_path, GOOD), load(tmp_path, GOOD)
    assert [s.con_id for s in first.known] == [s.con_id for s in again.known]
    assert len({s.con_id for s in first.known}) == len(first.known)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("price = 42.5", 'price = "dear"', 5, "price"),
        ("price = 42.5", "prise = 42.5", 5, "prise"),
        ("price = 42.5", "price = -1.0", 5, "price: -1.0 must be above 0"),
        ("price = 42.5", "price = nan", 5, "price"),
        ('symbol = "ACME"\n', "", 2, "symbol"),
        ('sec_type = "CASH"', 'sec_type = "FUT"', 14, "futures are [[future]]"),
        ('tick = "0.00005"', 'tick = "0.03"', 17, "tick: 0.03 is the step of no market rule"),
        ('tick = "0.00005"', 'tick = "small"', 17, "tick: 'small' is no number"),
        ('hours = "FX"', 'hours = "NIGHT"', 18, "hours: 'NIGHT' is none of US_STOCK"),
        ('expiry = "gas"', 'expiry = "oil"', 27, "expiry: 'oil' is none of third friday"),
        ('months = "monthly"', "months = [13]", 26, "months: give numbers from 1 to 12"),
        ('underlying = "ACME"', 'underlying = "ZZZ"', 31, "add an [[instrument]]"),
        ("step = 2.5", "step = 0.0", 32, "step: 0.0 must be above 0"),
        ("step = 2.5", "step = 2.5\nrule = 5", 33, "rule: 5 is none of 26"),
        ("step = 2.5", "step = 2.5\nbase = 4000.0", 32, "no strike"),
        ("[[options]]", "[options]", 30, "[[options]]"),
        ("[[future]]", "[[futures]]", 20, "futures is unknown"),
        ("[[instrument]]", "[[instrument]", 2, "is no TOML"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_field(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert (caught.value.line, Path(caught.value.path).name) == (line, "more.toml")
    assert says in caught.value.reason


def test_a_file_that_can_t_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't be read"):
        load_universe(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b'[[instrument]]\nsymbol = "\xe9"\n')
    with pytest.raises(DataError, match="UTF-8"):
        load_universe(tmp_path / "latin.toml")


async def test_the_simulator_trades_what_the_file_says(
    start: Start, connect: Connect, tmp_path: Path
) -> None:
    path = tmp_path / "more.toml"
    path.write_text(GOOD, encoding="utf-8")
    client = await connect(await start(universe=path))
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    acme = WireContract(symbol="ACME", sec_type="STK", exchange="SMART", currency="USD")
    client.send(ContractDataRequest(1, acme), Ask(2, acme))
    found = await client.expect(ContractData, lambda m: m.req_id == 1)
    assert found.contract_details.long_name == "ACME CORP"
    price = await client.expect(TickPrice, lambda m: m.req_id == 2 and m.tick_type == 1 and m.price > 0)
    assert 40 < price.price < 45
