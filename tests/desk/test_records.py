"""Records through their bytes: every kind comes back as it was; what is no record is refused by its place."""

from __future__ import annotations

import typing

import pytest

from tws.desk.apply import _TABLE
from tws.errors import DataError
from tws.model import records
from tws.model.records import Began, Record, decode_record, decode_records, encode_record

BEGAN = Began(at_ns=1, prefix="t", client_id=1, account="DU1", port=7497)


def test_every_kind_of_record_is_applied_and_exported() -> None:
    kinds = set(typing.get_args(Record))
    assert set(_TABLE) == kinds
    assert {kind.__name__ for kind in kinds} <= set(records.__all__)


def test_a_record_is_a_version_and_json() -> None:
    assert encode_record(BEGAN) == (
        b'1 {"is":"began","at_ns":1,"prefix":"t","client_id":1,"account":"DU1","port":7497}'
    )
    assert decode_record(encode_record(BEGAN)) == BEGAN


def test_every_record_of_a_days_trading_survives_its_bytes(bench) -> None:
    trade = bench.enter()
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.fill(trade.target, 100, "104.00")
    assert list(decode_records(bench.rows)) == bench.all_records


@pytest.mark.parametrize(
    "row",
    [
        b"",
        b"2 {}",
        b"1 ",
        b"1 {}",
        b'1 {"is":"nonsense","at_ns":1}',
        b'1 {"is":"began","at_ns":"x"}',
        b"garbage",
        encode_record(BEGAN)[:-1],
    ],
)
def test_what_is_no_record_is_refused(row: bytes) -> None:
    with pytest.raises(DataError, match="journal, line 2"):
        list(decode_records([encode_record(BEGAN), row]))
