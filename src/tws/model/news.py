"""News as TWS tells them: who provides them, headlines, articles, bulletins of exchanges."""

from __future__ import annotations

import base64
import binascii
from enum import IntEnum

from msgspec import Struct

__all__ = ["BulletinKind", "NewsArticle", "NewsBulletin", "NewsHeadline", "NewsPage", "NewsProvider"]

_PDF = 1


class NewsProvider(Struct, frozen=True, kw_only=True):
    """A source that the login may read, such as BRFG."""

    code: str
    name: str


class NewsHeadline(Struct, frozen=True, kw_only=True):
    """One headline. `time_ns` None: TWS's time could not be read; `time` is TWS's own text of it.

    `tags` are TWS's, as they come: `A:800015:L:en:K:0.97:C:0.99` with the language (L), a reckoned sentiment
    (K, -1 to 1) and how sure that is (C); the names of the last two are reported, not documented. What has
    no tag, or one that is no number (`n/a`), is None.
    """

    provider: str
    article_id: str
    text: str
    time_ns: int | None = None
    time: str = ""
    tags: str = ""

    @property
    def language(self) -> str | None:
        return self._tag("L")

    @property
    def sentiment(self) -> float | None:
        return _number(self._tag("K"))

    @property
    def confidence(self) -> float | None:
        return _number(self._tag("C"))

    def _tag(self, name: str) -> str | None:
        parts = self.tags.split(":")
        return next((value for key, value in zip(parts[::2], parts[1::2], strict=False) if key == name), None)


class NewsPage(Struct, frozen=True, kw_only=True):
    """Headlines of the past, the newest first as TWS gives them; whether there are older ones in the time
    that was asked for.
    """

    headlines: tuple[NewsHeadline, ...] = ()
    has_more: bool = False


class NewsArticle(Struct, frozen=True, kw_only=True):
    """An article. `kind` 0: text or HTML; 1: a PDF in base64; another number as TWS sent it."""

    kind: int
    text: str

    @property
    def pdf(self) -> bytes | None:
        """The document, None for an article of another kind or one that is no base64."""
        if self.kind != _PDF:
            return None
        try:
            return base64.b64decode(self.text, validate=True)
        except (binascii.Error, ValueError):
            return None


class BulletinKind(IntEnum):
    """What a bulletin says (official client)."""

    NEWS = 1
    EXCHANGE_UNAVAILABLE = 2
    EXCHANGE_AVAILABLE = 3


class NewsBulletin(Struct, frozen=True, kw_only=True):
    """A word of an exchange or of IB. A kind that we do not know is kept as a number; `time_ns` is when it
    came here, since TWS states no time.
    """

    number: int
    kind: BulletinKind | int
    text: str
    exchange: str
    time_ns: int = 0


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) <= 1 else None
