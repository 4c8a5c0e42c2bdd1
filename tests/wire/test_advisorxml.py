"""The XML of an advisor's settings: what is written is read, and no text of it does more than be read."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tws.errors import DecodeError
from tws.model.advisor import AccountAlias, AdvisorGroup, AdvisorProfile, AdvisorShare
from tws.wire import advisorxml as xml
from tws.wire.markup import MOST_DEPTH, MOST_ELEMENTS

FEW = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
LETTER = st.characters(min_codepoint=32, exclude_characters="\x7f\ufffe\uffff", exclude_categories=["Cs"])
NAME = st.text(LETTER, max_size=12).map(str.strip)
AMOUNT = st.none() | st.decimals(-(10**9), 10**9, places=3)
SHARES = st.lists(st.builds(AdvisorShare, NAME, AMOUNT), max_size=4).map(tuple)
GROUP = st.builds(AdvisorGroup, name=NAME, method=NAME, shares=SHARES)
ALIAS = st.builds(AccountAlias, NAME, NAME)
PROFILE = st.builds(AdvisorProfile, name=NAME, kind=st.none() | st.integers(1, 3), shares=SHARES)


@FEW
@given(st.lists(GROUP, max_size=3), st.lists(PROFILE, max_size=3), st.lists(ALIAS, max_size=3))
def test_what_is_written_is_read(
    groups: list[AdvisorGroup], profiles: list[AdvisorProfile], aliases: list[AccountAlias]
) -> None:
    texts = xml.write_groups(groups), xml.write_profiles(profiles), xml.write_aliases(aliases)
    assert all(text.isascii() and "\n" not in text for text in texts), "as the official client sends it"
    assert list(xml.read_groups(texts[0])) == groups
    assert list(xml.read_profiles(texts[1])) == profiles
    assert list(xml.read_aliases(texts[2])) == aliases
    plain = xml.read_groups(xml.write_groups(groups, plain=True))
    assert [one.accounts for one in plain] == [one.accounts for one in groups]


def test_what_a_tws_writes() -> None:
    """In both generations of builds; what is unknown is skipped, what is no number is none."""
    told = """<?xml version="1.0" encoding="UTF-8"?>
<ListOfGroups><Group><name>A</name><ListOfAccts varName="list"><String>DU1</String></ListOfAccts>
<defaultMethod>EqualQuantity</defaultMethod><linkedHFGroup>false</linkedHFGroup></Group>
<Group><name>B</name><defaultMethod>Sideways</defaultMethod><ListOfAccts varName="list">
<Account><acct>DU1</acct><amount>100.0</amount></Account><Account><acct>DU2</acct><amount>many</amount></Account>
</ListOfAccts></Group><Other/></ListOfGroups>"""
    assert xml.read_groups(told) == (
        AdvisorGroup(name="A", method="EqualQuantity", shares=(AdvisorShare("DU1"),)),
        AdvisorGroup(
            name="B", method="Sideways", shares=(AdvisorShare("DU1", Decimal("100.0")), AdvisorShare("DU2"))
        ),
    )
    assert xml.read_groups("<ListOfGroups><Group/></ListOfGroups>") == (AdvisorGroup(name=""),)


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
HOSTILE = {
    "a bomb": BOMB + "<ListOfGroups><Group><name>&b;</name></Group></ListOfGroups>",
    "a file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><ListOfGroups>&e;</ListOfGroups>',
    "a bare type": '<!DOCTYPE ListOfGroups SYSTEM "http://127.0.0.1/x.dtd"><ListOfGroups/>',
    "an unknown entity": "<ListOfGroups>&e;</ListOfGroups>",
    "too deep": "<ListOfGroups>" + "<a>" * MOST_DEPTH + "</a>" * MOST_DEPTH + "</ListOfGroups>",
    "too many": "<ListOfGroups>" + "<a/>" * (MOST_ELEMENTS + 1) + "</ListOfGroups>",
    "half": "<ListOfGroups><Group>",
    "nothing": "",
    "another root": "<ListOfAccountAliases/>",
    "no text": "\ud800",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_such_document_is_a_decode_error(case: str) -> None:
    with pytest.raises(DecodeError):
        xml.read_groups(HOSTILE[case])


@FEW
@given(st.text(max_size=60), st.integers(0, 200))
def test_any_text_is_read_or_a_decode_error(noise: str, place: int) -> None:
    shares = (AdvisorShare("DU1", Decimal(1)),)
    whole = xml.write_groups([AdvisorGroup(name="A", method="Equal", shares=shares)])
    for text in (noise, whole[:place] + noise + whole[place:]):
        try:
            xml.read_groups(text)
        except DecodeError:
            continue


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "\x1b", "\uffff", "\ud800"])
def test_a_name_without_a_form_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        xml.write_aliases([AccountAlias("DU1", name)])
