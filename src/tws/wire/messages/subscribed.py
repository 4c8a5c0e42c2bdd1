"""What needs a subscription or a special account: news, scanners, fundamentals, calendars, advisors' groups.

Source: TWS-BEHAVIOUR.md F4, F6; the official client.
"""

from __future__ import annotations

from msgspec import Struct

from tws.wire.messages.base import Answer, Request, Tag
from tws.wire.messages.contract import WireContract

__all__ = [
    "CancelFundamentalsData",
    "CancelNewsBulletins",
    "CancelScannerSubscription",
    "CancelWshEventData",
    "CancelWshMetaData",
    "FAReplace",
    "FARequest",
    "FundamentalsData",
    "FundamentalsDataRequest",
    "HistoricalNews",
    "HistoricalNewsEnd",
    "HistoricalNewsRequest",
    "NewsArticle",
    "NewsArticleRequest",
    "NewsBulletin",
    "NewsBulletinsRequest",
    "NewsProvider",
    "NewsProviders",
    "NewsProvidersRequest",
    "ReceiveFA",
    "ReplaceFAEnd",
    "ScannerData",
    "ScannerDataElement",
    "ScannerParameters",
    "ScannerParametersRequest",
    "ScannerSubscription",
    "ScannerSubscriptionRequest",
    "TickNews",
    "WshEventData",
    "WshEventDataRequest",
    "WshMetaData",
    "WshMetaDataRequest",
]


class NewsBulletinsRequest(Request, frozen=True):
    """Request 12: bulletins of the exchanges, those of today too when `all_messages`."""

    all_messages: bool


class CancelNewsBulletins(Request, frozen=True):
    """Request 13."""


class NewsBulletin(Answer, frozen=True):
    """Answer 14."""

    news_msg_id: int
    news_msg_type: int
    news_message: str
    originating_exch: str


class NewsProvidersRequest(Request, frozen=True):
    """Request 85."""


class NewsProvider(Struct, frozen=True):
    """A source of news that the user may read."""

    provider_code: str
    provider_name: str


class NewsProviders(Answer, frozen=True):
    """Answer 85."""

    news_providers: tuple[NewsProvider, ...] = ()


class NewsArticleRequest(Request, frozen=True):
    """Request 84."""

    req_id: int
    provider_code: str
    article_id: str
    news_article_options: tuple[Tag, ...] = ()


class NewsArticle(Answer, frozen=True):
    """Answer 83: `article_type` 0 plain text or HTML, 1 a PDF in base64."""

    req_id: int
    article_type: int
    article_text: str


class HistoricalNewsRequest(Request, frozen=True):
    """Request 86: `provider_codes` joined by "+"."""

    req_id: int
    con_id: int
    provider_codes: str
    start_date_time: str
    end_date_time: str
    total_results: int
    historical_news_options: tuple[Tag, ...] = ()


class HistoricalNews(Answer, frozen=True):
    """Answer 86: one headline."""

    req_id: int
    time: str
    provider_code: str
    article_id: str
    headline: str


class HistoricalNewsEnd(Answer, frozen=True):
    """Answer 87."""

    req_id: int
    has_more: bool


class TickNews(Answer, frozen=True):
    """Answer 84: a headline on a stream of market data (generic tick 292); `timestamp` in ms since 1970."""

    req_id: int
    timestamp: int
    provider_code: str
    article_id: str
    headline: str
    extra_data: str


class FARequest(Request, frozen=True):
    """Request 18: 1 groups, 2 profiles (until 176), 3 aliases."""

    fa_data_type: int


class FAReplace(Request, frozen=True):
    """Request 19; the id travels from server version 157 on."""

    req_id: int
    fa_data_type: int
    xml: str


class ReceiveFA(Answer, frozen=True):
    """Answer 16."""

    fa_data_type: int
    xml: str


class ReplaceFAEnd(Answer, frozen=True):
    """Answer 103."""

    req_id: int
    text: str


class ScannerSubscription(Struct, frozen=True):
    """What a scanner looks for; None is "any"."""

    number_of_rows: int | None = None
    instrument: str = ""
    location_code: str = ""
    scan_code: str = ""
    above_price: float | None = None
    below_price: float | None = None
    above_volume: int | None = None
    market_cap_above: float | None = None
    market_cap_below: float | None = None
    moody_rating_above: str = ""
    moody_rating_below: str = ""
    sp_rating_above: str = ""
    sp_rating_below: str = ""
    maturity_date_above: str = ""
    maturity_date_below: str = ""
    coupon_rate_above: float | None = None
    coupon_rate_below: float | None = None
    exclude_convertible: bool = False
    average_option_volume_above: int | None = None
    scanner_setting_pairs: str = ""
    stock_type_filter: str = ""
    scanner_subscription_filter_options: tuple[Tag, ...] = ()
    scanner_subscription_options: tuple[Tag, ...] = ()


class ScannerSubscriptionRequest(Request, frozen=True):
    """Request 22."""

    req_id: int
    scanner_subscription: ScannerSubscription


class CancelScannerSubscription(Request, frozen=True):
    """Request 23."""

    req_id: int


class ScannerDataElement(Struct, frozen=True):
    """One row of a scanner; `market_name` is the market's, such as NMS. What the last four say depends on the
    scan, and is mostly nothing.
    """

    rank: int
    contract: WireContract
    market_name: str = ""
    distance: str = ""
    benchmark: str = ""
    projection: str = ""
    combo_key: str = ""


class ScannerData(Answer, frozen=True):
    """Answer 20: all rows of a scanner as it stands now."""

    req_id: int
    scanner_data_element: tuple[ScannerDataElement, ...] = ()


class ScannerParametersRequest(Request, frozen=True):
    """Request 24."""


class ScannerParameters(Answer, frozen=True):
    """Answer 19: what scanners know, as XML."""

    xml: str


class FundamentalsDataRequest(Request, frozen=True):
    """Request 52; gone from TWS 10.47 on."""

    req_id: int
    contract: WireContract
    report_type: str
    fundamentals_data_options: tuple[Tag, ...] = ()


class CancelFundamentalsData(Request, frozen=True):
    """Request 53."""

    req_id: int


class FundamentalsData(Answer, frozen=True):
    """Answer 51: a report as XML."""

    req_id: int
    data: str


class WshMetaDataRequest(Request, frozen=True):
    """Request 100: the calendar of corporate events, what it knows."""

    req_id: int


class CancelWshMetaData(Request, frozen=True):
    """Request 101."""

    req_id: int


class WshMetaData(Answer, frozen=True):
    """Answer 104."""

    req_id: int
    data_json: str


class WshEventDataRequest(Request, frozen=True):
    """Request 102."""

    req_id: int
    con_id: int | None = None
    filter: str = ""
    fill_watchlist: bool = False
    fill_portfolio: bool = False
    fill_competitors: bool = False
    start_date: str = ""
    end_date: str = ""
    total_limit: int | None = None


class CancelWshEventData(Request, frozen=True):
    """Request 103."""

    req_id: int


class WshEventData(Answer, frozen=True):
    """Answer 105."""

    req_id: int
    data_json: str
