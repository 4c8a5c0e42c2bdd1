"""The fixtures as a stranger's test suite uses them: installed, in a folder that knows nothing of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SUITE = '''
import asyncio, threading
from decimal import Decimal
from tws import Order, SyncConnection, TWSConnection, stock


def order(quantity):
    return Order(side="BUY", quantity=quantity, order_type="LMT", limit_price="100.02")


def buy(simulated_tws, quantity, client_id):
    with SyncConnection(simulated_tws.config(client_id=client_id)) as connection:
        spy = connection.request_contract_details(stock("SPY"))[0].contract
        connection.place_order(spy, order(quantity))
        filled = lambda: any(done.client_id == client_id for done in simulated_tws.executions())
        simulated_tws.wait_until(filled)


def test_blocking(simulated_tws):
    simulated_tws.quote("SPY", bid=100.0, ask=100.02)
    buy(simulated_tws, 3, 1)
    assert simulated_tws.position("SPY") == Decimal(3)


async def test_coroutine(simulated_tws):
    simulated_tws.quote("SPY", bid=100.0, ask=100.02)
    async with TWSConnection(simulated_tws.config()) as connection:
        spy = (await connection.request_contract_details(stock("SPY")))[0].contract
        await connection.place_order(spy, order(4))
        while not simulated_tws.executions():
            await asyncio.sleep(0.01)
    assert simulated_tws.position("SPY") == Decimal(4)


def test_threads(simulated_tws):
    simulated_tws.quote("SPY", bid=100.0, ask=100.02)
    threads = [threading.Thread(target=buy, args=(simulated_tws, 1, number)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert simulated_tws.position("SPY") == Decimal(3)
'''


def run(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_theirs.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", "test_theirs.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)


def test_a_suite_of_blocking_coroutine_and_threaded_tests_passes(tmp_path: Path) -> None:
    ran = run(tmp_path, SUITE)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 passed" in ran.stdout


def test_a_market_that_breaks_fails_the_test_that_used_it(tmp_path: Path) -> None:
    head = "time_utc_ms,open,high,low,close,volume,bid,bid_size,ask,ask_size\n"
    first = 1_767_623_400_000  # 2026-01-05 09:30 in New York
    rows = [f"{first + 1000 * n},9,9,9,9,100,8.99,100,9.01,100\n" for n in range(8)]
    text = head + "".join(rows) + f"{first + 8000},soon,9,9,9,100,8.99,100,9.01,100\n"
    (tmp_path / "bad.csv").write_text(text, encoding="utf-8")
    text = (
        "import pytest\nfrom pathlib import Path\n"
        "@pytest.mark.simulated_tws(data=(Path('bad.csv'),), speed='max')\n"
        "def test_it(simulated_tws):\n"
        "    is_over = lambda: simulated_tws.call(lambda sim: sim.over.is_set())\n"
        "    simulated_tws.wait_until(is_over)\n"
    )
    ran = run(tmp_path, text)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "bad.csv" in ran.stdout


def test_a_wrong_option_names_itself(tmp_path: Path) -> None:
    text = "import pytest\n@pytest.mark.simulated_tws(port=70000)\ndef test_it(simulated_tws): pass\n"
    ran = run(tmp_path, text)
    assert ran.returncode == 1
    assert "port" in ran.stdout and "70000" in ran.stdout


def test_the_plugin_costs_a_run_nothing_that_does_not_use_it(tmp_path: Path) -> None:
    text = (
        "import sys\n"
        "def test_it(): assert not {'tws.simulator', 'tws.exchange', 'ibapi'} & set(sys.modules)\n"
    )
    ran = run(tmp_path, text)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("words", ["does not run"])
def test_outside_its_life_it_says_so(words: str) -> None:
    from tws.errors import SimulationError
    from tws.testing import HostedTWS

    hosted = HostedTWS()
    with pytest.raises(SimulationError, match=words):
        hosted.quote("SPY", bid=1.0, ask=1.1)
    hosted.stop()
    with hosted:
        hosted.quote("SPY", bid=1.0, ask=1.1)
        with pytest.raises(SimulationError, match="at hand"):
            hosted.call(lambda sim: hosted.sessions())
    with pytest.raises(SimulationError, match=words):
        hosted.orders()
