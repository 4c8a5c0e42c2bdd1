"""Market scanners: once, from now on, and what there is to scan.

TWS takes a scan for a subscription, of which it allows ten at a time: `request_scan` cancels it after its
first answer. That there is nothing to find TWS says by a notice (165) alone, which ends a request with no
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tws.connection.families.base import Asking, Handlers, first
from tws.connection.hearing.documents import read_xml
from tws.connection.hearing.reading import contract_of
from tws.connection.hearing.replies import Reply
from tws.connection.streaming.newsstreams import ScannerStream
from tws.model.markup import Markup
from tws.model.scanner import (
    MOST_ROWS,
    Scan,
    ScanField,
    ScanFilter,
    ScanInstrument,
    ScanLocation,
    ScannerParameters,
    ScanRow,
    ScanType,
)
from tws.wire.messages import ScannerData, ScannerDataElement
from tws.wire.messages import ScannerParameters as WireParameters

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["ScannerQuestions", "hear"]

PARAMETERS = "scanner parameters"
_UNSET_ROWS = -1
_NUMBERS = {
    "above_price": "abovePrice",
    "below_price": "belowPrice",
    "above_volume": "aboveVolume",
    "above_market_cap": "marketCapAbove",
    "below_market_cap": "marketCapBelow",
    "above_coupon_rate": "couponRateAbove",
    "below_coupon_rate": "couponRateBelow",
    "above_average_option_volume": "averageOptionVolumeAbove",
}
_WORDS = {
    "instrument": "instrument",
    "location": "locationCode",
    "code": "scanCode",
    "above_moody_rating": "moodyRatingAbove",
    "below_moody_rating": "moodyRatingBelow",
    "above_sp_rating": "spRatingAbove",
    "below_sp_rating": "spRatingBelow",
    "above_maturity_date": "maturityDateAbove",
    "below_maturity_date": "maturityDateBelow",
    "exclude_convertible": "excludeConvertible",
    "setting_pairs": "scannerSettingPairs",
    "stock_type": "stockTypeFilter",
}
"""Our fields and the official client's."""


class ScannerQuestions(Asking):
    """Questions to scanners."""

    def request_scanner_parameters(self) -> Reply[ScannerParameters]:
        """What scanners know: instruments, locations, scans, filters. A real TWS sends some megabytes."""
        return self._question(
            PARAMETERS,
            "scanner parameters",
            lambda rows: parameters_of(first(rows)),
            self._engine.official.reqScannerParameters,
        )

    def request_scan(self, scan: Scan) -> Reply[list[ScanRow]]:
        """What a scan finds now, best first; [] for nothing. Takes one of ten places while it runs.

        RequestError 162 for a scan that TWS does not know, NotSubscribedError where it is not permitted.
        Raises ValueError for rows out of 1 to 50.
        """
        send = self._sender(scan)
        return self._request(
            "scan",
            lambda rows: list(_rows_of(first(rows))) if rows else [],
            send,
            lambda number: self._engine.official.cancelScannerSubscription(number),
            lasting=True,
        )

    def stream_scanner(self, scan: Scan) -> ScannerStream:
        """What a scan finds from now on, all rows anew about every thirty seconds of the market.

        One of ten places (NotSentError beyond). Raises ValueError for rows out of 1 to 50.
        """
        send = self._sender(scan)
        engine = self._engine
        stream = ScannerStream(scan, engine.lanes.isolate, engine.answers.stamp)
        self._subscribe(stream, send, lambda number: engine.official.cancelScannerSubscription(number))
        return stream

    def _sender(self, scan: Scan) -> Callable[[int], None]:
        if scan.rows is not None and not 1 <= scan.rows <= MOST_ROWS:
            raise ValueError(f"rows is {scan.rows}: 1 to {MOST_ROWS}")

        def send(number: int) -> None:
            wish, filters = _official(scan)
            self._engine.official.reqScannerSubscription(number, wish, [], filters)

        return send


def _official(scan: Scan) -> tuple[Any, list[Any]]:
    """A scan as the official client takes it. Its import waits until a connection is used."""
    from ibapi.scanner import ScannerSubscription
    from ibapi.tag_value import TagValue

    wish = ScannerSubscription()
    wish.numberOfRows = _UNSET_ROWS if scan.rows is None else scan.rows
    for ours, theirs in _WORDS.items():
        setattr(wish, theirs, getattr(scan, ours))
    for ours, theirs in _NUMBERS.items():
        value = getattr(scan, ours)
        if value is not None:
            setattr(wish, theirs, value)
    return wish, [TagValue(tag, value) for tag, value in scan.filters]


def hear(answers: Answers) -> Handlers:
    """Answers 19 and 20."""
    questions, requests = answers.questions, answers.requests
    streams, stamp = answers.subscriptions.streams, answers.stamp

    def parameters(message: WireParameters) -> None:
        questions.row(PARAMETERS, message.xml)
        questions.end(PARAMETERS)

    def rows(message: ScannerData) -> None:
        stream = streams.get(message.req_id)
        if isinstance(stream, ScannerStream):
            stream.put(_rows_of(message), stamp.now_ns)
        elif requests.row(message.req_id, message):
            requests.end(message.req_id)

    return {WireParameters: parameters, ScannerData: rows}


def _rows_of(message: ScannerData) -> tuple[ScanRow, ...]:
    return tuple(_row_of(one) for one in message.scanner_data_element)


def _row_of(one: ScannerDataElement) -> ScanRow:
    return ScanRow(
        rank=one.rank,
        contract=contract_of(one.contract),
        market_name=one.market_name,
        distance=one.distance,
        benchmark=one.benchmark,
        projection=one.projection,
        legs=one.combo_key,
    )


def parameters_of(xml: str) -> ScannerParameters:
    """What stands in answer 19. Raises DecodeError for what is no XML."""
    root = read_xml(xml, "scanner parameters")
    return ScannerParameters(
        instruments=tuple(_instruments(root)),
        locations=tuple(_locations(root)),
        scans=tuple(
            ScanType(code=code, name=_text(one, "displayName"), instruments=_list(one, "instruments"))
            for code, one in _coded(root.all("ScanType"), "scanCode")
        ),
        filters=tuple(_filters(root)),
        xml=xml,
    )


def _instruments(root: Markup) -> Iterator[ScanInstrument]:
    """Each once: TWS lists them in two places."""
    known = set()
    for code, one in _coded(root.all("Instrument"), "type"):
        if code not in known:
            known.add(code)
            yield ScanInstrument(code=code, name=_text(one, "name"), filters=_list(one, "filters"))


def _locations(root: Markup) -> Iterator[ScanLocation]:
    """From the outer to the inner ones."""
    waiting = [(one, "") for one in root.inside]
    while waiting:
        here, inside = waiting.pop(0)
        code = here.text_at("locationCode") if here.name == "Location" else None
        if code:
            yield ScanLocation(
                code=code,
                name=_text(here, "displayName"),
                instruments=_list(here, "instruments"),
                inside=inside,
            )
        waiting += [(one, code or inside) for one in here.inside if one.name in ("Location", "LocationTree")]


def _filters(root: Markup) -> Iterator[ScanFilter]:
    kinds = ("RangeFilter", "SimpleFilter", "TripleComboFilter")
    for kind in kinds:
        for name, one in _coded(root.all(kind), "id"):
            fields = tuple(
                ScanField(
                    code=code,
                    name=_text(field, "displayName"),
                    kind=field.attributes.get("type", ""),
                    choices=tuple(choice for choice, _ in _coded(field.all("ComboValue"), "code")),
                )
                for code, field in _coded(one.all("AbstractField"), "code")
            )
            yield ScanFilter(id=name, category=_text(one, "category"), fields=fields)


def _coded(elements: Iterable[Markup], name: str) -> Iterator[tuple[str, Markup]]:
    """Those elements that have a code, with it."""
    for one in elements:
        code = one.text_at(name)
        if code:
            yield code, one


def _text(one: Markup, name: str) -> str:
    return one.text_at(name) or ""


def _list(one: Markup, name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in _text(one, name).split(",") if part.strip())
