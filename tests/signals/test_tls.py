"""TLS over real sockets: a certificate that is trusted, one that is not, and a receiver with its own."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from tws.clock import SystemClock
from tws.model.signal import Signal
from tws.signals import Sources
from tws.signals.http import HttpRules, HttpSource
from tws.signals.pace import Pace
from tws.signals.receiving import Listening, WebhookSource
from tws.signals.secret import Key
from tws.strategy import Reason, Refusal

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")

CLOCK = SystemClock()
ANSWER = json.dumps(
    {"status": "success", "data": {"ticker": "SPY", "prediction": {"signal": "BUY", "confidence": 0.9}}}
).encode()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.crt", folder / "cert.secret"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


async def polled(url: str, ca_file: Path | None) -> Signal | Refusal:
    """The first that comes of an API there."""
    source = HttpSource(
        "api", ("SPY",), HttpRules(base_url=url, ca_file=ca_file), Key("k", "API_KEY"),
        pace=Pace(6000, CLOCK), clock=CLOCK, rng=random.Random(1),
    )  # fmt: skip
    async with Sources([source]) as sources:
        while not (found := sources.take(CLOCK.now_ns())):  # noqa: ASYNC110 - it comes over a socket
            await asyncio.sleep(0.01)
    return found[0].value


async def test_a_certificate_is_trusted_when_it_is_named_and_else_not(pair: tuple[Path, Path]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(ANSWER) + ANSWER)
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*pair)
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        trusted, strange = await polled(url, pair[0]), await polled(url, None)
    assert isinstance(trusted, Signal) and trusted.symbol == "SPY"
    assert isinstance(strange, Refusal) and strange.reason is Reason.UNREACHABLE
    assert "no trusted TLS" in strange.text


async def test_a_receiver_with_a_certificate(pair: tuple[Path, Path]) -> None:
    token = "a-token-of-twenty-four-signs"
    source = WebhookSource(
        "hook", Key(token, "T"), clock=CLOCK, rng=random.Random(1),
        where=Listening(port=0, cert_file=pair[0], key_file=pair[1]),
    )  # fmt: skip
    body = {"id": "a", "symbol": "SPY", "signal": "BUY", "time": 1, "token": token}
    trust = ssl.create_default_context(cafile=pair[0])
    async with Sources([source]), httpx.AsyncClient(verify=trust, trust_env=False) as client:
        answer = await client.post(f"https://127.0.0.1:{source.port}/signal", json=body)
        assert answer.status_code == 202
        with pytest.raises(httpx.TransportError):
            await client.post(f"http://127.0.0.1:{source.port}/signal", json=body)
