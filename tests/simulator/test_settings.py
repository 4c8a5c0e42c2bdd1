"""TWS's own settings as the simulator tells them: from version 219 on, and not while the API is read-only."""

from __future__ import annotations

import pytest
from tests.simulator.client import Connect, Start
from tests.simulator.scene import error, ready

from tws.errors import NotSentError
from tws.simulator import ToldSettings
from tws.wire.messages import ConfigRequest, ConfigResponse, WireApiSettings, WireLockAndExit


async def told(start: Start, connect: Connect, **options: object) -> ConfigResponse:
    client = await ready(connect, await start(symbols=("SPY",), **options))
    client.send(ConfigRequest(7))
    answer: ConfigResponse = await client.expect(ConfigResponse)
    assert answer.req_id == 7
    return answer


def page(answer: ConfigResponse) -> WireApiSettings:
    assert answer.api is not None and answer.api.settings is not None
    return answer.api.settings


async def test_a_fresh_tws_tells_its_defaults(start: Start, connect: Connect) -> None:
    answer = await told(start, connect)
    assert answer.lock_and_exit == WireLockAndExit(
        auto_logoff_time="11:45", auto_logoff_period="PM", auto_logoff_type="restart"
    )
    assert answer.api is not None and answer.api.precautions is not None
    assert answer.api.precautions.bypass_order_precautions is False
    assert (page(answer).read_only_api, page(answer).allow_localhost_only) == (False, True)
    assert (page(answer).master_client_id, page(answer).trusted_ips) == (None, ())


async def test_what_its_options_set_it_tells(start: Start, connect: Connect) -> None:
    settings = ToldSettings(auto_restart=False, dialogs=("A", "B"), sizes_in_lots=True)
    answer = await told(
        start, connect, settings=settings, master_client_id=9, send_open_orders=False,
        trusted=("127.0.0.1",), localhost_only=False,
    )  # fmt: skip
    assert answer.lock_and_exit is not None and answer.lock_and_exit.auto_logoff_type == "logoff"
    assert [(one.title, one.enabled) for one in answer.messages] == [("A", True), ("B", True)]
    assert (page(answer).master_client_id, page(answer).trusted_ips) == (9, ("127.0.0.1",))
    assert (page(answer).allow_localhost_only, page(answer).download_open_orders_on_connection) == (
        False,
        False,
    )
    assert page(answer).send_market_data_in_lots_for_us_stocks is True


async def test_read_only_refuses_the_question(start: Start, connect: Connect) -> None:
    client = await ready(connect, await start(symbols=("SPY",), read_only=True))
    client.send(ConfigRequest(7))
    assert (await error(client, 321)).id == 7


async def test_an_older_tws_has_no_such_question(start: Start, connect: Connect) -> None:
    client = await ready(connect, await start(symbols=("SPY",), server_version=218))
    with pytest.raises(NotSentError):
        client.send(ConfigRequest(7))
