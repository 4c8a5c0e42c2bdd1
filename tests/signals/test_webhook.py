"""The receiver over real sockets: who may post, what is answered, and that nothing fills it up."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tws.clock import NS_PER_S, SystemClock
from tws.errors import ConfigError, MissingExtraError
from tws.model.signal import Signal, Wish
from tws.signals import Sources, receiving, webhook
from tws.signals.receiving import Listening, WebhookSource
from tws.signals.secret import Key
from tws.signals.webhook import STRANGERS_PER_MINUTE, WebhookRules
from tws.strategy import Reason, Refusal
from tws.strategy.alert import AlertMap

pytest.importorskip("uvicorn")

TOKEN = "a-token-of-twenty-four-signs"
CLOCK = SystemClock()
T0 = 1_800_000_000
GOOD = {"id": "a", "symbol": "SPY", "signal": "BUY", "time": T0, "confidence": 0.8}
ALERT = {"ticker": "NASDAQ:AAPL", "action": "buy", "price": "190.5", "time": "2027-01-15T08:00:00Z"}


@asynccontextmanager
async def hooked(**rules: Any) -> AsyncIterator[tuple[WebhookSource, httpx.AsyncClient]]:
    given = {"per_minute": 6000, "burst": 1000}
    source = WebhookSource(
        "hook", Key(TOKEN, "WEBHOOK_TOKEN"), clock=CLOCK, rng=random.Random(1), where=Listening(port=0),
        rules=WebhookRules(**(given | rules)),
    )  # fmt: skip
    async with Sources([source]):
        url = f"http://127.0.0.1:{source.port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
            yield source, client


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_signal_is_taken_and_answered_with_its_id() -> None:
    async with hooked() as (source, client):
        answer = await client.post("/signal", json=GOOD, headers=bearer())
        assert (answer.status_code, answer.json()) == (202, {"id": "a"})
        (signal,) = source.take(0, 10)
        assert signal == Signal(
            signal_id="a", symbol="SPY", wish=Wish.BUY, time_ns=T0 * NS_PER_S, confidence=0.8
        )
        assert source.health().last_answer_ns is not None


@pytest.mark.parametrize("where", ["bearer", "own", "body"])
async def test_the_token_may_stand_in_three_places(where: str) -> None:
    headers = {"bearer": bearer(), "own": {"X-Webhook-Token": TOKEN}, "body": {}}[where]
    body = GOOD | ({"token": TOKEN} if where == "body" else {})
    async with hooked() as (source, client):
        assert (await client.post("/signal", json=body, headers=headers)).status_code == 202
        assert len(source.take(0, 10)) == 1


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, GOOD),
        ({}, GOOD | {"token": "another-token-of-many-signs"}),
        ({}, GOOD | {"token": 7}),
        ({}, GOOD | {"token": None}),
        (bearer(TOKEN[:-1]), GOOD),
        (bearer("x"), GOOD | {"token": TOKEN}),
        ({"X-Webhook-Token": "x"}, GOOD),
        ({"Authorization": f"Basic {TOKEN}"}, GOOD),
    ],
)
async def test_whoever_does_not_know_it_is_shown_out(headers: dict[str, str], body: dict[str, Any]) -> None:
    async with hooked() as (source, client):
        answer = await client.post("/signal", json=body, headers=headers)
        assert answer.status_code == 401
        (refusal,) = source.take(0, 10)
        assert isinstance(refusal, Refusal) and refusal.reason is Reason.TOKEN


async def test_the_token_in_the_address_is_no_token_and_shows_in_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the test's own client shows its address
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    async with hooked() as (source, client):
        assert (await client.post(f"/signal?token={TOKEN}", json=GOOD)).status_code == 401
        assert TOKEN not in f"{caplog.text}{source.health()}{source.take(0, 10)}"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not JSON"),
        (b"[" * 5000, "not JSON"),
        (json.dumps(GOOD | {"confidence": 1.7}).encode(), "confidence is 1.7"),
        (b'{"id": "a", "symbol": "SPY", "signal": "BUY", "time": 1, "price": NaN}', "price is nan"),
        (json.dumps(GOOD | {"time": "2027-01-15T08:00:00"}).encode(), "with its zone"),
        (json.dumps(GOOD | {"signal": "UP"}).encode(), "wish is 'UP'"),
        (json.dumps({"id": "a"}).encode(), "symbol is missing"),
    ],
)
async def test_what_is_no_signal_is_answered_with_the_reason(body: bytes, words: str) -> None:
    async with hooked() as (source, client):
        answer = await client.post("/signal", content=body, headers=bearer())
        assert answer.status_code == 400 and words in answer.json()["error"]
        (refusal,) = source.take(0, 10)
        assert isinstance(refusal, Refusal) and words in refusal.text


async def test_an_alert_in_the_words_of_a_chart() -> None:
    names = AlertMap(ticker="t", action="do", price="close", time="at", words={"SELL": "SHORT"})
    alert = {"t": "SPY", "do": "sell", "close": 400, "at": T0 * 1000, "token": TOKEN, "comment": "x"}
    async with hooked(names=names) as (source, client):
        answer = await client.post("/alert", json=alert)
        assert answer.status_code == 202
        (signal,) = source.take(0, 10)
    assert isinstance(signal, Signal)
    assert (signal.symbol, signal.wish, signal.price) == ("SPY", Wish.SHORT, 400.0)
    assert (signal.time_ns, signal.signal_id) == (T0 * NS_PER_S, f"SPY:sell:{T0 * 1000}")


async def test_an_alert_delivered_twice_has_one_id() -> None:
    async with hooked() as (source, client):
        for _ in range(2):
            answer = await client.post("/alert", json=ALERT | {"token": TOKEN})
            assert answer.json() == {"id": "NASDAQ:AAPL:buy:2027-01-15T08:00:00Z"}
        first, second = source.take(0, 10)
        assert first == second and isinstance(first, Signal)
        assert (first.symbol, first.price, first.wish) == ("AAPL", 190.5, Wish.BUY)


async def test_other_paths_and_methods() -> None:
    async with hooked() as (source, client):
        assert (await client.post("/", json=GOOD, headers=bearer())).status_code == 404
        assert (await client.get("/signal", headers=bearer())).status_code == 405
        assert (await client.post("/SIGNAL", json=GOOD, headers=bearer())).status_code == 404
        assert source.take(0, 10) == []


async def test_a_body_has_its_bound_declared_or_not() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 1000

    async with hooked(max_body=5000) as (_, client):
        assert (await client.post("/signal", content=b" " * 5001, headers=bearer())).status_code == 413
        assert (await client.post("/signal", content=chunks(), headers=bearer())).status_code == 413
        assert (await client.post("/signal", json=GOOD, headers=bearer())).status_code == 202


async def test_more_than_the_rate_is_told_when_to_come_back() -> None:
    async with hooked(per_minute=1, burst=2) as (source, client):
        codes = []
        for number in range(3):
            answer = await client.post("/signal", json=GOOD | {"id": str(number)}, headers=bearer())
            codes.append(answer.status_code)
        assert codes == [202, 202, 429]
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert source.health().counts == {Reason.OVERLOAD: 1}


async def test_guessing_at_the_token_is_slow_and_keeps_no_friend_out() -> None:
    async with hooked() as (_, client):
        codes = [
            (await client.post("/signal", json=GOOD, headers=bearer(f"wrong-{number}"))).status_code
            for number in range(STRANGERS_PER_MINUTE + 5)
        ]
        assert codes.count(401) in (STRANGERS_PER_MINUTE, STRANGERS_PER_MINUTE + 1) and codes[-1] == 429
        assert (await client.post("/signal", json=GOOD, headers=bearer())).status_code == 202


async def test_when_nobody_takes_the_sender_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hooked() as (source, client):
        monkeypatch.setattr(source._outbox, "_bound", 2)
        codes = [
            (await client.post("/signal", json=GOOD | {"id": str(number)}, headers=bearer())).status_code
            for number in range(3)
        ]
        assert codes == [202, 202, 429]
        assert len(source.take(0, 10)) == 3  # two, and the word that one found no room


async def raw(port: int, data: bytes) -> bytes:
    """What comes back to bytes that no client library would send, to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    await writer.drain()
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_one_caller_too_many_keeps_out_none_of_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "MAX_CALLERS", 2)
    async with hooked() as (source, _):
        callers = [await asyncio.open_connection("127.0.0.1", source.port) for _ in range(4)]
        codes = []
        for number, (_, writer) in enumerate(callers):
            body = json.dumps(GOOD | {"id": str(number), "token": TOKEN}).encode()
            writer.write(b"POST /signal HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        for reader, writer in callers:
            codes.append((await reader.read()).split()[1])
            writer.close()
        assert codes == [b"202", b"202", b"503", b"503"]
        assert [value.signal_id for value in source.take(0, 10)] == ["0", "1"]


async def test_a_body_that_says_it_is_too_large_is_not_waited_for() -> None:
    head = f"POST /signal HTTP/1.1\r\nHost: x\r\nX-Webhook-Token: {TOKEN}\r\n".encode()
    async with hooked() as (source, _):
        assert b" 413 " in await raw(source.port, head + b"Content-Length: 10000000\r\n\r\n")


async def test_a_caller_that_stalls_is_shown_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "SILENCE_S", 0.2)
    monkeypatch.setattr(webhook, "BODY_S", 0.2)
    head = f"POST /signal HTTP/1.1\r\nHost: x\r\nX-Webhook-Token: {TOKEN}\r\n".encode()
    async with hooked() as (source, client):
        assert await raw(source.port, b"") == b""
        assert await raw(source.port, head) == b""
        assert b" 408 " in await raw(source.port, head + b"Content-Length: 50\r\n\r\n{")
        assert (await client.post("/signal", json=GOOD, headers=bearer())).status_code == 202


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00" + bytes(200) + b"\r\n\r\n",
        b"POST /signal HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /signal HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /signal HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"x" * 40_000 + b"\r\n\r\n",
        b"POST /signal HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ],
)
async def test_bytes_that_are_no_request_harm_nobody(data: bytes) -> None:
    async with hooked() as (source, client):
        assert b" 202 " not in await raw(source.port, data)
        assert (await client.post("/signal", json=GOOD, headers=bearer())).status_code == 202


@pytest.mark.parametrize("text", ["", "tiny-one", "a blank in the middle", "line\nend-of-a-token", "ä" * 20])
def test_it_refuses_to_be_without_a_token(text: str) -> None:
    with pytest.raises(ConfigError, match="WEBHOOK_TOKEN") as wrong:
        Key(text, "WEBHOOK_TOKEN", least=16)
    assert not text or text not in str(wrong.value)


async def test_a_port_that_is_taken_is_named() -> None:
    async with hooked() as (source, _):
        other = WebhookSource(
            "other", Key(TOKEN, "T"), clock=CLOCK, rng=random.Random(1), where=Listening(port=source.port)
        )
        with pytest.raises(ConfigError, match=str(source.port)):
            await other.start()


async def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    source = WebhookSource("hook", Key(TOKEN, "T"), clock=CLOCK, rng=random.Random(1))
    with pytest.raises(MissingExtraError, match=r"\[webhook\]"):
        await Sources([source]).start()


async def test_it_ends_and_its_port_is_free_again() -> None:
    async with hooked() as (source, client):
        port = source.port
        await client.post("/signal", json=GOOD, headers=bearer())
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await source.stop()
    assert source.health().state == "stopped"
