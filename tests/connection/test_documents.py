"""Answers that are XML, JSON or words of their own, malformed in every way: what can't be read is None or
named, never guessed, and the session goes on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.connection.peers import Recorder, RecorderServer, config_of

from tws.connection import TWSConnection
from tws.connection.families import news, research
from tws.connection.families.scanners import parameters_of
from tws.connection.hearing.documents import read_json, read_xml
from tws.errors import DecodeError
from tws.model.contract import stock
from tws.model.markup import Markup
from tws.model.news import NewsBulletin
from tws.model.scanner import Scan, ScannerParameters, ScanType
from tws.wire import codec, messages
from tws.wire.markup import MOST_DEPTH, MOST_ELEMENTS

BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/hostname">]><a>&f;</a>"""
REAL = """<ScanParameterResponse><ScanTypeList><ScanType><scanCode>A</scanCode></ScanType>
<ScanType><displayName>no code</displayName></ScanType><ScanType/></ScanTypeList></ScanParameterResponse>"""
FEW = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "<a>", "<a></b>", "<a/><b/>", "<a>\0</a>", "{}", "a", "<a>&nbsp;</a>", BOMB, OUTSIDE,
        "<!DOCTYPE html><html/>", "<a>\ud800</a>", "<a>" * (MOST_DEPTH + 1) + "</a>" * (MOST_DEPTH + 1),
        "<a>" + "<b/>" * MOST_ELEMENTS + "</a>",
    ],
)  # fmt: skip
def test_what_is_no_document_is_named(text: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DecodeError, match="the report") as refused:
        read_xml(text, "the report")
    assert len(refused.value.payload) <= 4096
    assert "unreadable document" in caplog.text and "the report" in caplog.text


def test_a_document_is_read_as_it_stands() -> None:
    root = read_xml('<a x="1">t&amp;<b>u</b><b><c/></b> </a>', "it")
    assert root == Markup("a", {"x": "1"}, "t&", (Markup("b", {}, "u"), Markup("b", {}, "", (Markup("c"),))))
    assert root.text_at("b") == "u" and root.find("b/c") is None and root.find("c") is None
    assert [one.text for one in root.all("b")] == ["u", ""]


def test_what_has_no_code_is_left_out() -> None:
    assert parameters_of(REAL) == ScannerParameters(scans=(ScanType(code="A", name=""),), xml=REAL)


@FEW
@given(st.data())
def test_a_damaged_document_is_refused_or_read(data: st.DataObject) -> None:
    """One stretch is cut out or replaced: parameters come or a DecodeError, nothing else."""
    begin = data.draw(st.integers(0, len(REAL) - 1))
    end = data.draw(st.integers(begin, min(len(REAL), begin + 20)))
    middle = data.draw(st.sampled_from(("", "<", ">", "&", '"', "<!--", "]]>", "\x01", "é")))
    try:
        found = parameters_of(REAL[:begin] + middle + REAL[end:])
    except DecodeError:
        return
    assert isinstance(found, ScannerParameters) and all(one.code for one in found.scans)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("event_type", "index_date", "conid", "company_name", "data")
EVENT = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5)


@FEW
@given(st.lists(EVENT | VALUES, max_size=4))
def test_events_of_any_shape(told: list[Any]) -> None:
    found = research._events_of(json.dumps(told))
    kept = [one for one in told if isinstance(one, dict)]
    assert len(found) == len(kept)
    for event, row in zip(found, kept, strict=True):
        assert event.kind == (row.get("event_type") if isinstance(row.get("event_type"), str) else "")
        assert event.con_id is None or str(event.con_id) == str(row["conid"]).lstrip("0") or event.con_id == 0
        assert event.day is None or f"{event.day:%Y%m%d}" == str(row["index_date"])
        assert set(row) <= set(event.fields)


@FEW
@given(VALUES)
def test_a_catalogue_of_any_shape(told: Any) -> None:
    for text in (
        json.dumps(told),
        json.dumps({"meta_data": {"event_types": [told, {"tag": "t", "name": told}]}}),
    ):
        try:
            found = research._catalogue_of(text)
        except DecodeError:
            continue
        assert all(isinstance(one.tag, str) and isinstance(one.name, str) for one in found.types)


@FEW
@given(st.text(max_size=60))
def test_json_of_any_text(text: str) -> None:
    try:
        read_json(text, "it")
    except DecodeError as error:
        assert "it can't be read" in str(error)


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5000, "{'a': 1}", "NaN,"])
def test_json_that_would_do_harm(text: str) -> None:
    with pytest.raises(DecodeError):
        read_json(text, "it")


@FEW
@given(st.text(max_size=40), st.text(max_size=30))
def test_headlines_of_any_text(headline: str, time: str) -> None:
    row = messages.HistoricalNews(1, time, "X", "X$1", headline)
    found = news._past_headline(row)
    assert (found.time, found.provider) == (time, "X")
    assert found.text in headline and (found.tags == "" or f"{{{found.tags}}}{found.text}" == headline)
    for value in (found.sentiment, found.confidence):
        assert value is None or -1 <= value <= 1


class Odd:
    """A TWS that answers each question with what no TWS should say."""

    def __init__(self, version: int) -> None:
        self.version = version

    def heard(self, client: Recorder, payload: bytes) -> None:
        asked = codec.decode_request(payload, self.version)
        match asked:
            case messages.ScannerParametersRequest():
                client.say(messages.ScannerParameters(BOMB))
            case messages.FundamentalsDataRequest():
                client.say(messages.FundamentalsData(asked.req_id, "<ReportSnapshot>"))
            case messages.WshMetaDataRequest():
                client.say(messages.WshMetaData(asked.req_id, "no json"))
            case messages.NewsArticleRequest():
                client.say(messages.NewsArticle(asked.req_id, 9, ""))
            case messages.NewsBulletinsRequest():
                client.say(messages.NewsBulletin(1, 77, "?", ""))
            case messages.HistoricalNewsRequest():
                client.say(messages.HistoricalNews(asked.req_id, "yesterday", "", "", "{"))
                client.say(messages.HistoricalNewsEnd(asked.req_id, False))
            case messages.ScannerSubscriptionRequest():
                client.say(messages.ScannerData(asked.req_id))


@pytest.mark.parametrize("version", [176, 200, 225])
async def test_odd_answers_end_their_questions_and_nothing_else(version: int, journal: Path) -> None:
    async with RecorderServer(version=version) as server:
        server.heard = Odd(version).heard
        async with TWSConnection(config_of(server.port), journal=journal) as client:
            for reply in (
                client.request_scanner_parameters(),
                client.request_fundamentals(stock("AAPL")),
                client.request_wsh_meta(),
            ):
                with pytest.raises(DecodeError):
                    await reply
            assert (await client.request_news_article("X", "X$1")).kind == 9
            assert await client.request_scan(Scan("ANY")) == []
            spy = replace(stock("SPY"), con_id=756733)
            (headline,) = (await client.request_historical_news(spy, ("X",))).headlines
            assert (headline.time_ns, headline.time, headline.text) == (None, "yesterday", "{")
            async with client.stream_news_bulletins() as board:
                told = await anext(board)
                assert (told.kind, told.text) == (77, "?") and isinstance(told, NewsBulletin)
            assert client.is_connected()
