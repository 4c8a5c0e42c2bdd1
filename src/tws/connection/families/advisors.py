"""What a financial advisor's login keeps: groups, profiles, aliases; read, and replaced as a whole.

Reading carries no request id, so answers are told apart by their kind. A replacement decides to whom later
orders go, so it leaves through `Outbound` as an order does: past the live lock and the brake, and only when
whoever made the connection has allowed the kind ("replaceFA"). To any other login TWS refuses both (321).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from tws.connection.families.base import Handlers, first, hear_rows
from tws.connection.families.whatif import WhatIfQuestions
from tws.connection.hearing.replies import Reply
from tws.errors import NotSentError, RequestError
from tws.model.advisor import AccountAlias, AdvisorGroup, AdvisorProfile
from tws.wire import advisorxml
from tws.wire.advisorxml import ALIASES, GROUPS, PROFILES
from tws.wire.messages import ReceiveFA, ReplaceFAEnd

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["AdvisorQuestions", "hear"]

T = TypeVar("T")
KINDS = {GROUPS: "advisor groups", PROFILES: "advisor profiles", ALIASES: "account aliases"}
UNSAVED = 10230
"""You have unsaved FA changes (official): what was replaced is not kept yet."""
NO_PROFILES = 177
"""From this server version on groups have amounts, and profiles are gone (official)."""


class AdvisorQuestions(WhatIfQuestions):
    """Questions of an advisor, and what an advisor changes."""

    def request_advisor_groups(self) -> Reply[list[AdvisorGroup]]:
        """The groups. RequestError 321 for a login that is no advisor's, 10230 while a change is being kept;
        DecodeError for an answer that can't be read.
        """
        return self._ask(GROUPS, advisorxml.read_groups)

    def request_advisor_profiles(self) -> Reply[list[AdvisorProfile]]:
        """The profiles of a TWS below server version 177; NotSentError (585) above."""
        return self._ask(PROFILES, advisorxml.read_profiles)

    def request_account_aliases(self) -> Reply[list[AccountAlias]]:
        """The names by which TWS shows the accounts."""
        return self._ask(ALIASES, advisorxml.read_aliases)

    def replace_advisor_groups(self, groups: Sequence[AdvisorGroup]) -> Reply[str]:
        """Replace all groups by these; the answer is TWS's text. Ask for them again to see what was kept.

        Raises OrderDeniedError when the gate refuses it, ValueError for a name that is empty or twice there;
        no byte left then. RequestTimeoutError and LinkLostError leave open whether they were replaced.
        """
        _check_names([one.name for one in groups])
        plain = self._engine.server_version < NO_PROFILES
        return self._replace(GROUPS, advisorxml.write_groups(groups, plain=plain))

    def replace_advisor_profiles(self, profiles: Sequence[AdvisorProfile]) -> Reply[str]:
        """The same for the profiles of a TWS below server version 177; NotSentError (585) above."""
        _check_names([one.name for one in profiles])
        return self._replace(PROFILES, advisorxml.write_profiles(profiles))

    def replace_account_aliases(self, aliases: Sequence[AccountAlias]) -> Reply[str]:
        """The same for the aliases. Newer builds are said to take groups alone and answer 585."""
        _check_names([one.account for one in aliases])
        return self._replace(ALIASES, advisorxml.write_aliases(aliases))

    def _ask(self, kind: int, read: Callable[[str], Sequence[T]]) -> Reply[list[T]]:
        self._check_kind(kind)
        official, name = self._engine.official, KINDS[kind]
        return self._question(
            name, name, lambda rows: list(read(first(rows).xml)), lambda: official.requestFA(kind)
        )

    def _replace(self, kind: int, xml: str) -> Reply[str]:
        self._check_kind(kind)
        engine = self._engine

        def send(number: int) -> None:
            self._until_written(number, engine.outbound.submit(*engine.encoder.replace_fa(number, kind, xml)))

        return self._request(f"change of {KINDS[kind]}", lambda rows: str(first(rows).text), send)


    def _check_kind(self, kind: int) -> None:
        """In protobuf the official client sends what it refuses in text."""
        self._must_be_ready()
        if kind == PROFILES and self._engine.server_version >= NO_PROFILES:
            raise NotSentError(585, f"from version {NO_PROFILES} on there are groups with amounts instead")


def _check_names(names: Sequence[str]) -> None:
    """Raises ValueError."""
    for place, name in enumerate(names):
        if not name.strip() or name in names[:place]:
            raise ValueError(f"{name!r} is empty or twice there")


def hear(answers: Answers) -> Handlers:
    """Answers 16 and 103."""
    questions = answers.questions

    def received(message: ReceiveFA) -> None:
        kind = KINDS.get(message.fa_data_type, "")
        questions.row(kind, message)
        questions.end(kind)

    def refused(code: int, text: str) -> bool:
        if code != UNSAVED and not (code == 321 and "FA data operation" in text):
            return False
        return any(questions.fail(kind, RequestError(code, text)) for kind in KINDS.values())

    answers.unaddressed.append(refused)
    return {ReceiveFA: received, **hear_rows(answers, alone=(ReplaceFAEnd,))}
