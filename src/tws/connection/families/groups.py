"""Display groups: the windows of one colour in TWS, which show the same contract, followed and led."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers, first, hear_rows
from tws.connection.hearing.replies import Reply
from tws.connection.streaming.statestreams import LatestStream
from tws.model.reference import DisplayGroup
from tws.wire.messages import DisplayGroupList, DisplayGroupUpdated

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["DisplayGroupStream", "GroupQuestions", "hear"]


class DisplayGroupStream(LatestStream[DisplayGroup]):
    """What a group shows, each time it changes; `last` is the newest."""

    def __init__(self, isolate: Callable[..., None], show: Callable[[int, str], object]) -> None:
        super().__init__(isolate)
        self._show = show

    def show(self, con_id: int, exchange: str = "SMART") -> None:
        """Let the group show this contract; 0 for none. TWS answers by the change, or by an error (321).

        Raises NotSentError without a session.
        """
        self._show(self.request_id, f"{con_id}@{exchange}" if con_id else "none")


class GroupQuestions(Asking):
    """Questions about display groups."""

    def request_display_groups(self) -> Reply[list[int]]:
        """The numbers of the groups, those in use first (official documentation)."""
        return self._request(
            "display groups",
            lambda rows: [int(number) for number in first(rows).groups.split("|") if number],
            lambda number: self._engine.official.queryDisplayGroups(number),
        )

    def stream_display_group(self, group: int) -> DisplayGroupStream:
        """What a group shows now and from now on; `show` on the stream changes it."""
        official = self._engine.official
        stream = DisplayGroupStream(self._engine.lanes.isolate, official.updateDisplayGroup)
        self._subscribe(
            stream,
            lambda number: official.subscribeToGroupEvents(number, group),
            lambda number: official.unsubscribeFromGroupEvents(number),
        )
        return stream


def hear(answers: Answers) -> Handlers:
    """Answers 67 and 68."""
    streams, stamp = answers.subscriptions.streams, answers.stamp

    def updated(message: DisplayGroupUpdated) -> None:
        stream = streams.get(message.req_id)
        if isinstance(stream, DisplayGroupStream):
            stream.put(_group_of(message.contract_info), stamp.now_ns)

    return {DisplayGroupUpdated: updated, **hear_rows(answers, alone=(DisplayGroupList,))}


def _group_of(text: str) -> DisplayGroup:
    con_id, at, exchange = text.partition("@")
    if at and con_id.isdigit():
        return DisplayGroup(text=text, con_id=int(con_id), exchange=exchange)
    return DisplayGroup(text=text)
