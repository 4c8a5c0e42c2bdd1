"""TWS's own settings, asked for and read: by a simulated TWS, and by one that leaves things out."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.connection.peers import Recorder, RecorderServer, config_of, port_of

from tws.connection import TWSConnection
from tws.errors import NotSentError, RequestError
from tws.model.settings import TWSSettings
from tws.simulator import SimulatedTWS, SimulatorOptions, ToldSettings
from tws.wire.messages import ConfigResponse, WireApiConfig


async def asked(options: SimulatorOptions) -> TWSSettings:
    sim = SimulatedTWS(options)
    sim.address = await sim.start()  # type: ignore[attr-defined]
    try:
        async with TWSConnection(config_of(port_of(sim))) as connection:
            return await connection.request_settings()
    finally:
        await sim.stop()


async def test_what_tws_is_set_to() -> None:
    told = ToldSettings(bypass_precautions=True, auto_restart=False, dialogs=("Sizes",))
    settings = await asked(SimulatorOptions(symbols=("SPY",), settings=told, master_client_id=4))
    assert settings == TWSSettings(
        read_only=False,
        bypass_precautions=True,
        sends_open_orders=True,
        keeps_orders=True,
        sizes_in_lots=False,
        localhost_only=True,
        master_client_id=4,
        auto_logoff="11:45 PM",
        auto_restart=False,
        dialogs=("Sizes",),
    )


async def test_a_read_only_tws_refuses_to_tell_them() -> None:
    with pytest.raises(RequestError) as refused:
        await asked(SimulatorOptions(symbols=("SPY",), read_only=True))
    assert refused.value.code == 321


async def test_an_older_tws_cannot_be_asked() -> None:
    with pytest.raises(NotSentError) as unsent:
        await asked(SimulatorOptions(symbols=("SPY",), server_version=218))
    assert unsent.value.code == 503


@pytest.mark.parametrize(
    "answer",
    [ConfigResponse(req_id=0), ConfigResponse(req_id=0, api=WireApiConfig())],
)
async def test_what_tws_leaves_out_is_unknown(answer: ConfigResponse, journal: Path) -> None:
    def told(client: Recorder, payload: bytes) -> None:
        from msgspec.structs import replace

        from tws.wire.codec import decode_request
        from tws.wire.messages import ConfigRequest

        request = decode_request(payload, 225)
        if isinstance(request, ConfigRequest):
            client.say(replace(answer, req_id=request.req_id))

    async with RecorderServer(version=225) as server:
        server.heard = told
        async with TWSConnection(config_of(server.port), journal=journal) as connection:
            assert await connection.request_settings() == TWSSettings()
