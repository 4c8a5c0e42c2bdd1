"""Sources of signals in a configuration file, beside the file that `[signals]` alone means (run.py).

    [[signals]]                              [[signals]]
    kind = "http"                            kind = "webhook"
    symbols = ["TQQQ", "SQQQ"]               symbols = ["GLD"]
    base_url = "https://api.example.com"     port = 8765
    key_env = "API_KEY"                      token_env = "WEBHOOK_TOKEN"

Each is traded as its own section says. Secrets never stand in the file: it names the variable that holds one,
in the environment or in `.env`.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from tws.config.run import HeardSection, Seconds
from tws.config.section import Section, Words

__all__ = ["AlertSection", "HttpSignalsSection", "WebhookSignalsSection", "is_loopback", "listed"]

Variable = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$", max_length=100)]
Wishes = dict[Words, Literal["BUY", "SELL", "SHORT", "CLOSE", "NEUTRAL"]]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and nobody can listen in between."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no http or https address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("holds more than host, port and path: a secret belongs into a variable")
    return text.rstrip("/")


def listed(value: Any) -> Any:
    """`[signals]` alone is a list of one, and what names no kind is a file."""
    entries = (value,) if isinstance(value, dict) else value
    if not isinstance(entries, tuple):
        return entries
    return tuple({"kind": "file"} | each if isinstance(each, dict) else each for each in entries)


class HttpSignalsSection(HeardSection):
    """The prediction API, polled: `GET BASE/prediction/latest?ticker=...` for each of `symbols`."""

    kind: Literal["http"] = "http"
    name: Words = "api"
    base_url: Annotated[str, AfterValidator(_url)] | None = Field(
        default=None, description='Write such as "https://api.example.com"'
    )
    """Unset: what the variable `base_url_env` holds."""
    base_url_env: Variable = "API_BASE_URL"
    key_env: Variable = Field(default="API_KEY", description="Name the variable that holds the key")
    """The variable that holds the key, which is sent as X-API-Key."""
    per_minute: Annotated[float, Field(gt=0, le=6000)] = 30
    """Requests, over all symbols and all sources with the same address and key."""
    every_s: Seconds = 0.0
    """One symbol is asked for no more often; 0: as often as `per_minute` allows."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    in_session: bool = False
    """Ask only while the symbol's market is open, and `lead_s` before it."""
    lead_s: Seconds = 60.0
    undated: Literal["first seen", "refuse"] = "first seen"
    """A prediction without a time: dated by when it was first heard, or refused."""
    allow_fields: tuple[Words, ...] = ()
    """Fields that may come besides those documented; "*": any. Another one is drift, and refused."""
    words: Wishes = Field(default_factory=dict)
    """What the API's words wish for, such as {SELL = "SHORT"}."""
    model: Words | None = None
    """The model's name where the API gives none; unset: `name`."""
    ca_file: Words | None = None
    """Certificates to trust besides the usual ones (PEM)."""
    plain_http: bool = False
    """Let the key travel unencrypted to a host that is not this machine."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.base_url is not None:
            self.check_address(self.base_url)
        return self

    def check_address(self, base_url: str) -> None:
        """Raises ValueError for an address that is none, or shows the key to whoever listens."""
        parts = urlsplit(_url(base_url))
        if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not self.plain_http:
            raise ValueError("base_url is not https: the key could be read on its way (plain_http allows it)")


class AlertSection(Section):
    """The names of the fields in a posted alert (/alert)."""

    ticker: Words = "ticker"
    action: Words = "action"
    time: Words = "time"
    price: Words = "price"
    confidence: Words = "confidence"
    model: Words = "model"
    id: Words = "id"


class WebhookSignalsSection(HeardSection):
    """A receiver: signals are posted to /signal, alerts of charting programs to /alert."""

    kind: Literal["webhook"] = "webhook"
    name: Words = "webhook"
    host: Words = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8765
    token_env: Variable = Field(
        default="WEBHOOK_TOKEN", description="Name the variable that holds the token"
    )
    """The variable that holds the token, 16 signs or more."""
    per_minute: Annotated[float, Field(gt=0, le=6000)] = 60
    burst: Annotated[int, Field(ge=1, le=1000)] = 20
    cert_file: Words | None = None
    key_file: Words | None = None
    """With `cert_file`: HTTPS."""
    behind_proxy: bool = False
    """Listen beyond this machine without TLS: a proxy before us has it."""
    alert: AlertSection = AlertSection()
    words: Wishes = Field(default_factory=dict)
    """What an alert's words wish for, beside the usual ones, such as {sell = "SHORT"}."""

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together")
        if not (is_loopback(self.host) or self.cert_file or self.behind_proxy):
            raise ValueError(
                "host is beyond this machine: give cert_file and key_file, or behind_proxy = true"
            )
        return self
