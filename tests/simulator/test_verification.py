"""Programs prove what they are before the API starts, as clients that connect with `extraAuth` do."""

from __future__ import annotations

import asyncio

import pytest
from tests.simulator.client import Client, Start

from tws.wire.messages import (
    CurrentTime,
    CurrentTimeRequest,
    NextValidId,
    StartApiRequest,
    VerifyAndAuthCompleted,
    VerifyAndAuthMessageApi,
    VerifyAndAuthMessageRequest,
    VerifyAndAuthRequest,
    VerifyCompleted,
    VerifyMessageApi,
    VerifyMessageRequest,
    VerifyRequest,
)
from tws.wire.session import ClientSession, ClientState


async def greeted(address: tuple[str, int], version: int) -> Client:
    """A session that has said hello and not startApi."""
    client = Client(*await asyncio.open_connection(*address), 1, version)
    client.session = ClientSession(1, max_version=version, start_api=False)
    client.writer.write(client.session.start())
    while client.session.state is not ClientState.OPEN:
        await client.pump()
    return client


@pytest.mark.parametrize("version", [176, 200, 225])
async def test_a_registered_program_is_verified_before_it_starts(start: Start, version: int) -> None:
    simulator = await start(server_version=version, programs={"mine": "yes"}, paused=True, symbols=("SPY",))
    client = await greeted(simulator.address, version)  # type: ignore[attr-defined]
    client.send(CurrentTimeRequest(), VerifyRequest("other", "1"))
    assert await client.expect(VerifyCompleted) == VerifyCompleted(False, "Program 'other' is not registered")
    client.send(VerifyMessageRequest("yes"))
    early = VerifyCompleted(False, "No verification is under way")
    await client.expect(VerifyCompleted, lambda m: m == early)
    for answer, verdict in (("no", False), ("yes", True)):
        client.heard.clear()
        client.send(VerifyRequest("mine", "1"))
        assert await client.expect(VerifyMessageApi) == VerifyMessageApi("mine")
        client.send(VerifyMessageRequest(answer))
        assert (await client.expect(VerifyCompleted)).is_successful is verdict
    client.send(VerifyAndAuthRequest("mine", "1", "key"))
    assert await client.expect(VerifyAndAuthMessageApi) == VerifyAndAuthMessageApi("mine", "key")
    client.send(VerifyAndAuthMessageRequest("yes", "whatever"))
    assert (await client.expect(VerifyAndAuthCompleted)).is_successful
    assert client.all(NextValidId) == [] and client.all(CurrentTime) == [], "not started, so it hears no more"
    client.send(StartApiRequest(1, ""), CurrentTimeRequest())
    await client.expect(NextValidId)
    await client.expect(CurrentTime)
    client.writer.close()
