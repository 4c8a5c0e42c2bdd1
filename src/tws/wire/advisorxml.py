"""The XML in which TWS keeps an advisor's groups, profiles and aliases (messages 16 and 19).

    <ListOfGroups><Group><name>A</name><defaultMethod>Equal</defaultMethod>
      <ListOfAccts
      varName="list"><Account><acct>DU1</acct><amount>1.0</amount></Account></ListOfAccts></Group>…

Older builds write `<String>DU1</String>` for an account without amount (official samples): both are read.
Elements that we don't know are skipped. A document type is refused before anything of it is read, so no
entity is ever declared or expanded; depth and number of elements are bounded. What is written is ASCII, with
references for the rest, since the official client sends no other text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from xml.parsers import expat

from tws.errors import DecodeError
from tws.model.advisor import AccountAlias, AdvisorGroup, AdvisorProfile, AdvisorShare

__all__ = [
    "ALIASES",
    "GROUPS",
    "PROFILES",
    "read_aliases",
    "read_groups",
    "read_profiles",
    "write_aliases",
    "write_groups",
    "write_profiles",
]

GROUPS, PROFILES, ALIASES = 1, 2, 3
"""TWS's numbers for the three (official client)."""
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
MOST_ELEMENTS = 100_000
"""An advisor with thousands of accounts has some ten thousand; a frame of 16 MiB could hold a million."""
DEEPEST = 16
"""Five levels are used."""

_NO_LETTERS = "\x7f\ufffe\uffff"
_REFERENCES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))

T = TypeVar("T")


class _Element:
    """An element with its own text and its children."""

    __slots__ = ("children", "tag", "text")

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.text = ""
        self.children: list[_Element] = []

    def all(self, tag: str) -> Iterator[_Element]:
        return (child for child in self.children if child.tag == tag)

    def said(self, tag: str) -> str:
        """The text of the first child of this name, "" without one."""
        return next((child.text.strip() for child in self.all(tag)), "")


class _Builder:
    """Makes a tree of what expat tells."""

    def __init__(self) -> None:
        self.top = _Element("")
        self._open = [self.top]
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) > DEEPEST:
            raise ValueError("more elements, or deeper ones, than an advisor's settings have")
        element = _Element(tag)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, tag: str) -> None:
        self._open.pop()

    def text(self, text: str) -> None:
        self._open[-1].text += text

    def doctype(self, *_: object) -> None:
        raise ValueError("a document type has no place here")


def _root(xml: str, tag: str) -> _Element:
    builder, parser = _Builder(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.text, builder.doctype
    try:
        parser.Parse(xml.encode("utf-8", "surrogatepass"), True)
    except (expat.ExpatError, ValueError) as error:
        raise DecodeError(f"the XML of an advisor's settings: {error}") from error
    (root,) = builder.top.children
    if root.tag != tag:
        raise DecodeError(f"the XML of an advisor's settings begins with {root.tag[:40]!r}, not with {tag}")
    return root


def read_groups(xml: str) -> tuple[AdvisorGroup, ...]:
    """Raises DecodeError."""
    return tuple(
        AdvisorGroup(
            name=row.said("name"), method=row.said("defaultMethod"), shares=_shares(row, "ListOfAccts")
        )
        for row in _root(xml, "ListOfGroups").all("Group")
    )


def read_profiles(xml: str) -> tuple[AdvisorProfile, ...]:
    """Raises DecodeError."""
    return tuple(
        AdvisorProfile(
            name=row.said("name"),
            kind=_number(row.said("type"), int),
            shares=_shares(row, "ListOfAllocations"),
        )
        for row in _root(xml, "ListOfAllocationProfiles").all("AllocationProfile")
    )


def read_aliases(xml: str) -> tuple[AccountAlias, ...]:
    """Raises DecodeError."""
    rows = _root(xml, "ListOfAccountAliases").all("AccountAlias")
    return tuple(AccountAlias(row.said("account"), row.said("alias")) for row in rows)


def _shares(row: _Element, tag: str) -> tuple[AdvisorShare, ...]:
    found = []
    for holder in row.all(tag):
        for child in holder.children:
            if child.tag == "String":
                found.append(AdvisorShare(child.text.strip()))
            elif child.tag in ("Account", "Allocation"):
                found.append(AdvisorShare(child.said("acct"), _number(child.said("amount"), Decimal)))
    return tuple(found)


def _number(text: str, kind: Callable[[str], T]) -> T | None:
    """None for a text that is no number."""
    try:
        number = kind(text)
    except (ValueError, InvalidOperation):
        return None
    return None if isinstance(number, Decimal) and not number.is_finite() else number


def write_groups(groups: Iterable[AdvisorGroup], *, plain: bool = False) -> str:
    """`plain`: accounts as older builds write them, without amounts."""
    rows = (
        _tag("Group", _tag("name", _text(one.name)), _tag("defaultMethod", _text(one.method)),
             _holder("ListOfAccts", "list", "Account", one.shares, plain))
        for one in groups
    )  # fmt: skip
    return HEAD + _tag("ListOfGroups", *rows)


def write_profiles(profiles: Iterable[AdvisorProfile]) -> str:
    rows = (
        _tag("AllocationProfile", _tag("name", _text(one.name)),
             _tag("type", "" if one.kind is None else str(one.kind)),
             _holder("ListOfAllocations", "listOfAllocations", "Allocation", one.shares))
        for one in profiles
    )  # fmt: skip
    return HEAD + _tag("ListOfAllocationProfiles", *rows)


def write_aliases(aliases: Iterable[AccountAlias]) -> str:
    rows = (
        _tag("AccountAlias", _tag("account", _text(one.account)), _tag("alias", _text(one.alias)))
        for one in aliases
    )
    return HEAD + _tag("ListOfAccountAliases", *rows)


def _holder(tag: str, name: str, each: str, shares: Iterable[AdvisorShare], plain: bool = False) -> str:
    inner = "".join(_share(one, "String" if plain else each) for one in shares)
    return f'<{tag} varName="{name}">{inner}</{tag}>'


def _share(share: AdvisorShare, tag: str) -> str:
    if tag == "String":
        return _tag(tag, _text(share.account))
    amount = "" if share.amount is None else _tag("amount", f"{share.amount:f}")
    return _tag(tag, _tag("acct", _text(share.account)), amount)


def _tag(tag: str, *inner: str) -> str:
    return f"<{tag}>{''.join(inner)}</{tag}>"


def _text(text: str) -> str:
    """Raises ValueError for what XML has no form for."""
    for letter in text:
        if letter < " " or letter in _NO_LETTERS or "\ud800" <= letter <= "\udfff":
            raise ValueError(f"{text[:40]!r} has {letter!r} inside, which has no place in a name")
    for letter, reference in _REFERENCES:
        text = text.replace(letter, reference)
    return text.encode("ascii", "xmlcharrefreplace").decode()
