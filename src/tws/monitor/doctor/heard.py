"""What TWS said unasked in a session (message 4): of its link to IB, its farms, its port, its pace.

All is heard while the stages ask; `judge` names the causes at the end, by the last word on each thing: a farm
that broke and came back is no cause. TWS-BEHAVIOUR.md A3, A6, B, H.
"""

from __future__ import annotations

import asyncio
import re
from typing import NamedTuple

from tws.monitor.doctor.notes import Notes
from tws.monitor.doctor.report import Outcome

__all__ = ["PACED", "PORT_CHANGED", "READ_ONLY", "Heard", "Said"]

READ_ONLY, PORT_CHANGED, PACED = 321, 1300, 100
_LOST, _BACK = (1100, 2110), (1101, 1102)
_BROKEN = {2103: "market data", 2105: "historical data", 2157: "definitions"}
_WHOLE = {2104: "market data", 2108: "market data", 2106: "historical data", 2107: "historical data",
          2158: "definitions"}  # fmt: skip
_FARM = re.compile(r"[:.]\s*([A-Za-z0-9_-]+)\s*$")


class Said(NamedTuple):
    """One message 4: the request or order that it is about (-1: none), code and text."""

    id: int
    code: int
    text: str


class Heard:
    """Everything that came. `news` is set by each message and cleared by whoever waits."""

    def __init__(self) -> None:
        self.all: list[Said] = []
        self.news = asyncio.Event()
        self.read_only = asyncio.Event()

    def hear(self, request_id: int, code: int, text: str) -> None:
        """For `set_callbacks`."""
        self.all.append(Said(request_id, code, text))
        self.news.set()
        if code == READ_ONLY and "read-only" in text.lower():
            self.read_only.set()

    def about(self, request_id: int) -> list[Said]:
        """What was said of one request."""
        return [said for said in self.all if said.id == request_id]

    def last(self, *codes: int) -> Said | None:
        """The latest message with one of these codes."""
        return next((said for said in reversed(self.all) if said.code in codes), None)

    def name_end(self, notes: Notes, why: str) -> None:
        """The link went in the middle of the session: TWS's own word on it, else just that."""
        if self.last(PORT_CHANGED) is None and self.last(PACED) is None:
            notes.found("no_answer", "session", detail=f"the link went: {why}")

    def judge(self, notes: Notes) -> None:
        """Name the causes, once the session is over."""
        moved = self.last(PORT_CHANGED)
        if moved is not None:
            number = re.search(r"(\d+)\D*$", moved.text)
            notes.found("port_changed", "session", new_port=number.group(1) if number else "another")
        if self.last(PACED) is not None:
            notes.found("paced_out", "session")
        self._link(notes)
        foreign = next((said for said in self.all if not said.text.isascii()), None)
        if foreign is not None:
            notes.found("texts_foreign", "session", code=foreign.code, text=foreign.text[:80])

    def _link(self, notes: Notes) -> None:
        """TWS's link to IB as a whole, else its farms one by one."""
        word = self.last(*_LOST, *_BACK)
        if word is not None and word.code in _LOST:
            notes.found("broker_lost", "session", detail=word.text)
            return
        broken: dict[tuple[str, str], None] = {}
        whole: dict[tuple[str, str], None] = {}
        for said in self.all:
            name = _FARM.search(said.text)
            farm = name.group(1) if name else ""
            if said.code in _BROKEN:
                broken[_BROKEN[said.code], farm] = None
                whole.pop((_BROKEN[said.code], farm), None)
            elif said.code in _WHOLE:
                whole[_WHOLE[said.code], farm] = None
                broken.pop((_WHOLE[said.code], farm), None)
        if broken:
            notes.found(
                "farm_broken", "session", farms=", ".join(f"{what} ({farm})" for what, farm in broken)
            )
        elif whole:
            notes.step("farms", Outcome.OK, ", ".join(f"{farm} ({what})" for what, farm in whole))
