"""The XML in which TWS keeps an advisor's groups, profiles and aliases (messages 16 and 19).

    <ListOfGroups><Group><name>A</name><defaultMethod>Equal</defaultMethod>
      <ListOfAccts
      varName="list"><Account><acct>DU1</acct><amount>1.0</amount></Account></ListOfAccts></Group>…

Older builds write `<String>DU1</String>` for an account without amount (official samples): both are read.
It is read by `tws.wire.markup`, with its bounds; elements that we don't know are skipped. What is written is
ASCII, with references for the rest, since the official client sends no other text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from tws.errors import DecodeError
from tws.model.advisor import AccountAlias, AdvisorGroup, AdvisorProfile, AdvisorShare
from tws.model.markup import Markup
from tws.wire.markup import parse

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
_NO_LETTERS = "\x7f\ufffe\uffff"
_REFERENCES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))

T = TypeVar("T")


def _root(xml: str, tag: str) -> Markup:
    try:
        root = parse(xml)
    except ValueError as error:
        raise DecodeError(f"the XML of an advisor's settings: {error}") from error
    if root.name != tag:
        raise DecodeError(f"the XML of an advisor's settings begins with {root.name[:40]!r}, not with {tag}")
    return root


def _each(row: Markup, name: str) -> Iterator[Markup]:
    """The children of this name."""
    return (child for child in row.inside if child.name == name)


def _said(row: Markup, name: str) -> str:
    """The text of the first child of this name, "" without one."""
    return row.text_at(name) or ""


def read_groups(xml: str) -> tuple[AdvisorGroup, ...]:
    """Raises DecodeError."""
    return tuple(
        AdvisorGroup(
            name=_said(row, "name"), method=_said(row, "defaultMethod"), shares=_shares(row, "ListOfAccts")
        )
        for row in _each(_root(xml, "ListOfGroups"), "Group")
    )


def read_profiles(xml: str) -> tuple[AdvisorProfile, ...]:
    """Raises DecodeError."""
    return tuple(
        AdvisorProfile(
            name=_said(row, "name"),
            kind=_number(_said(row, "type"), int),
            shares=_shares(row, "ListOfAllocations"),
        )
        for row in _each(_root(xml, "ListOfAllocationProfiles"), "AllocationProfile")
    )


def read_aliases(xml: str) -> tuple[AccountAlias, ...]:
    """Raises DecodeError."""
    rows = _each(_root(xml, "ListOfAccountAliases"), "AccountAlias")
    return tuple(AccountAlias(_said(row, "account"), _said(row, "alias")) for row in rows)


def _shares(row: Markup, tag: str) -> tuple[AdvisorShare, ...]:
    found = []
    for holder in _each(row, tag):
        for child in holder.inside:
            if child.name == "String":
                found.append(AdvisorShare(child.text))
            elif child.name in ("Account", "Allocation"):
                found.append(AdvisorShare(_said(child, "acct"), _number(_said(child, "amount"), Decimal)))
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
