"""Answer 19: what scanners know, as XML in the form of TWS's (public copies of it), from the tables of
`scans`.

A real one has over a million characters; this one states what this simulator can compute, and nothing else.
"""

from __future__ import annotations

from functools import cache
from xml.etree.ElementTree import Element, SubElement, tostring

from tws.simulator.content.scans import FILTERS, INSTRUMENTS, LOCATIONS, SCANS, STOCK_TYPES

__all__ = ["scanner_parameters"]

STOCKS = frozenset(("STK", "ETF.EQ.US", "STOCK.EU", "STOCK.HK"))
"""Instruments to which all filters apply; to others the first two."""


@cache
def scanner_parameters() -> str:
    """The whole text."""
    root = Element("ScanParameterResponse")
    instruments = SubElement(root, "InstrumentList", varName="instrumentList")
    for kind, (name, _) in INSTRUMENTS.items():
        _texts(
            SubElement(instruments, "Instrument"),
            name=name,
            type=kind,
            filters=",".join(_filters(kind)),
            group=f"{kind}.GLOBAL",
            shortName=name.rpartition(" ")[2],
            cloudScanNotSupported="false",
        )
    _locations(root, "")
    scans = SubElement(root, "ScanTypeList", varName="scanTypeList")
    everything = ",".join(INSTRUMENTS)
    for code, scan in SCANS.items():
        one = SubElement(scans, "ScanType")
        _texts(one, displayName=scan.name, scanCode=code, instruments=everything, absoluteColumns="false")
    filters = SubElement(root, "FilterList", varName="filterList")
    for name, known in FILTERS.items():
        one = SubElement(filters, "RangeFilter")
        _texts(one, id=name, category=known.name, access="unrestricted")
        kind = "scanner.filter.IntField" if known.is_whole else "scanner.filter.DoubleField"
        for code, side in ((known.above, "Above"), (known.below, "Below")):
            field = SubElement(one, "AbstractField", type=kind, varName=f"field{side}")
            _texts(field, code=code, displayName=f"{known.name} {side}")
    _stock_types(filters)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def _filters(kind: str) -> list[str]:
    return [*FILTERS, "STKTYPE"] if kind in STOCKS else list(FILTERS)[:2]


def _locations(parent: Element, inside: str) -> None:
    """The locations in another one, and what is in them."""
    found = [code for code, one in LOCATIONS.items() if one.inside == inside]
    if not found:
        return
    tree = SubElement(parent, "LocationTree", varName="locationTree")
    for code in found:
        place = SubElement(tree, "Location")
        known = LOCATIONS[code]
        _texts(
            place,
            displayName=known.name,
            locationCode=code,
            instruments=known.instrument,
            routeExchange=known.exchange or code,
            access="unrestricted",
        )
        _locations(place, code)


def _stock_types(filters: Element) -> None:
    one = SubElement(filters, "SimpleFilter")
    _texts(one, id="STKTYPE", category="Stock Type", access="unrestricted")
    field = SubElement(one, "AbstractField", type="scanner.filter.ComboField", varName="field")
    _texts(field, code="stkTypes", displayName="Stock Type")
    values = SubElement(field, "ComboValues", varName="comboValues")
    for word in STOCK_TYPES:
        for prefix in ("inc", "exc"):
            _texts(SubElement(values, "ComboValue"), code=f"{prefix}:{word}", displayName=word)


def _texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text
