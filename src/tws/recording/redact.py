"""What must not be shared is replaced, byte for byte of the same length, so that every frame stays whole.

Accounts become invented ones of the same kind (DU1234567 -> DU0000001), the same one everywhere in a
recording. They are learnt from what TWS says of them (ManagedAccounts) and, beside that, known by their
look. Names are learnt where TWS states them (the submitter of an order, the client's white branding, an
advisor's aliases, the addresses that TWS trusts) and become x's; words that the user names too. Equal length
keeps protobuf's own lengths right, so text and binary frames are treated alike.

It can't know a name that stands where no name belongs: an order reference that holds one stays. Such words
are to be named by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress

from tws.errors import TWSError
from tws.wire import codec
from tws.wire.advisorxml import ALIASES, read_aliases
from tws.wire.messages import (
    Answer,
    CompletedOrder,
    ConfigResponse,
    ExecutionDetails,
    ManagedAccounts,
    OpenOrder,
    ReceiveFA,
    UserInfo,
)

__all__ = ["Redactor"]

ACCOUNT = re.compile(rb"(?<![A-Za-z0-9])(D?[UFI])(\d{5,9})(?![A-Za-z0-9])")
"""The look of an account: U, F or I and digits, with a D in front for paper."""
HOME = "127.0.0.1"
"""Every machine's own address tells of none."""
SHORTEST = 3
"""A shorter name would match by chance and damage what it stands in."""
LEARNT_FROM = (b"15", b"11", b"5", b"101", b"107", b"16", b"110")
"""Ids of the answers that state accounts and names; others need not be decoded."""


class Redactor:
    """Replaces in payloads; what it has learnt stays for the rest of the recording."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._accounts: dict[bytes, bytes] = {}
        self._replaced: dict[bytes, bytes] = {}
        for word in words:
            self._add_name(word)

    def answer(self, payload: bytes, version: int) -> bytes:
        """A frame of TWS: learn from it, then replace."""
        if self._may_teach(payload, version):
            with suppress(TWSError):  # an unreadable frame teaches nothing; what is known is still replaced
                self._learn(codec.decode_answer(payload, version, lenient=True))
        return self.replace(payload)

    def replace(self, payload: bytes) -> bytes:
        """A frame with all that is known replaced."""
        for secret, stand_in in self._replaced.items():
            if secret in payload:
                payload = payload.replace(secret, stand_in)
        return ACCOUNT.sub(self._stand_in, payload)

    def _stand_in(self, match: re.Match[bytes]) -> bytes:
        found = match[0]
        if found in self._replaced.values():
            return found
        return self._add_account(found)

    def _may_teach(self, payload: bytes, version: int) -> bool:
        if version < codec.MIN_VERSION:
            return False
        if version <= 200:
            return payload.split(b"\0", 1)[0] in LEARNT_FROM
        number = int.from_bytes(payload[:4], "big")
        return b"%d" % (number - 200 if number > 200 else number) in LEARNT_FROM

    def _learn(self, message: Answer | codec.Unknown) -> None:
        if isinstance(message, ManagedAccounts):
            for account in message.accounts_list.split(","):
                if len(account) >= SHORTEST:
                    self._add_account(account.strip().encode())
        elif isinstance(message, ExecutionDetails):
            self._add_name(message.execution.submitter)
        elif isinstance(message, OpenOrder | CompletedOrder):
            self._add_name(message.order.submitter)
        elif isinstance(message, UserInfo):
            self._add_name(message.white_branding_id)
        elif isinstance(message, ReceiveFA) and message.fa_data_type == ALIASES:
            for one in read_aliases(message.xml):
                self._add_name(one.alias)
        elif isinstance(message, ConfigResponse) and message.api and message.api.settings:
            for address in message.api.settings.trusted_ips:
                if address != HOME:
                    self._add_name(address)

    def _add_account(self, account: bytes) -> bytes:
        known = self._accounts.get(account)
        if known is None:
            letters = re.match(rb"[A-Za-z]*", account)
            head = letters[0] if letters else b""
            digits = len(account) - len(head)
            number = b"%0*d" % (digits, len(self._accounts) + 1)
            known = (head + number)[-len(account) :] if digits else b"x" * len(account)
            self._accounts[account] = self._replaced[account] = known
        return known

    def _add_name(self, name: str | None) -> None:
        if name and len(name.encode()) >= SHORTEST:
            self._replaced.setdefault(name.encode(), b"x" * len(name.encode()))
