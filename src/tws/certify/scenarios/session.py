"""The session itself: its start, its clock, its ids, who comes in. TWS-BEHAVIOUR.md A."""

from __future__ import annotations

from tws.certify.handshake import greet
from tws.certify.register import scenario
from tws.certify.scene import Scene
from tws.wire import messages as m

case = scenario("session")


@case("the start of a session: versions, accounts, the next order id", "A2")
async def start(s: Scene) -> None:
    await greet(s.port, s.connection.config.client_id + 2, s.connection.server_version, s.patience_s)


@case("a client id in use: 326, and the socket is closed", "A3 duplicate client id")
async def in_use(s: Scene) -> None:
    await greet(s.port, s.connection.config.client_id, s.connection.server_version, s.patience_s)


@case("the clock", "F6 49")
async def clock(s: Scene) -> None:
    s.call("reqCurrentTime")
    await s.hear(m.CurrentTime)


@case("the clock in milliseconds", "F6 109", since=197)
async def millis(s: Scene) -> None:
    s.call("reqCurrentTimeInMillis")
    await s.hear(m.CurrentTimeInMillis)


@case("the accounts, asked for", "A2")
async def accounts(s: Scene) -> None:
    s.call("reqManagedAccts")
    await s.hear(m.ManagedAccounts)


@case("the next order id, asked for", "C4")
async def next_id(s: Scene) -> None:
    s.call("reqIds", 1)
    await s.hear(m.NextValidId)


@case("user info", "F6 107")
async def user(s: Scene) -> None:
    await s.ask(m.UserInfo, "reqUserInfo")


@case("TWS's own settings", "H", since=219)
async def settings(s: Scene) -> None:
    await s.tell(s.connection.request_settings())


@case("binding of manual orders is for client 0 alone: 327", "A4")
async def bind(s: Scene) -> None:
    s.call("reqAutoOpenOrders", True)
    await s.hear(m.ErrorMessage, lambda error: error.id in (-1, 2**31 - 1) and error.error_code == 327)
