"""What differs between the two sides of a scenario, in words.

Threads are matched in the order in which the client asked. Within one, the steps of both sides are aligned;
what is left is a difference: a step that one side lacks, two in another order, another code or word, a field
that one side alone states. TWS promises no status on the way to the last one (TWS-BEHAVIOUR.md C1), so two
sides that are alike once those are left out differ in a note; so do texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal

from msgspec import Struct

from tws.certify.normal import FOREIGN, Item
from tws.certify.threads import UNREAD, Thread

__all__ = ["Difference", "compare"]

PROOF = "CurrentTime #"
"""Our connection asks for the time whenever an answer is late (docs/design/pacing.md); a side that was asked
more often was slower, which is no difference.
"""

What = Literal["order", "missing", "extra", "code", "word", "fields", "asked", "ended", "text", "unreadable"]


class Difference(Struct, frozen=True):
    """One difference. `missing` is what TWS says and the simulator does not, `extra` the other way round.

    `judged` False makes it a note: within what TWS promises, or a text.
    """

    thread: str
    what: str
    text: str
    judged: bool = True


def compare(tws: Sequence[Thread], simulator: Sequence[Thread]) -> list[Difference]:
    """All differences of a scenario."""
    found: list[Difference] = []
    ours = {thread.name: thread for thread in simulator}
    for thread in tws:
        other = ours.pop(thread.name, None)
        found += _alone(thread, "TWS") if other is None else _threads(thread, other)
    for thread in ours.values():
        found += _alone(thread, "the simulator")
    return found


def _alone(thread: Thread, who: str) -> list[Difference]:
    if thread.name.startswith(UNREAD):
        return [Difference(thread.name, "unreadable", f"of {who}: {item.name}") for item in thread.items]
    if thread.name.startswith(PROOF):
        return []
    text = f"was asked of {who} alone: the scenario went another way"
    return [Difference(thread.name, "asked", text)]


def _threads(one: Thread, other: Thread) -> Iterator[Difference]:
    theirs, ours = _shared(one.items, other.items)
    found = list(_steps(one.name, theirs, ours))
    if any(each.judged and each.what != "fields" for each in found):
        settled = list(_steps(one.name, _settled(theirs), _settled(ours)))
        if not any(each.judged and each.what != "fields" for each in settled):
            loose = [_note(each) if each.what != "fields" else each for each in found]
            found = loose
    yield from found


def _shared(one: list[Item], other: list[Item]) -> tuple[list[Item], list[Item]]:
    """Both without those rows of the account's own past that one side has none of."""
    names = [{item.name for item in items} for items in (one, other)]
    lacking = (names[0] ^ names[1]) & FOREIGN if _lists(one) or _lists(other) else set()
    return [i for i in one if i.name not in lacking], [i for i in other if i.name not in lacking]


def _lists(items: Sequence[Item]) -> bool:
    return any(item.name.endswith("End") for item in items)


TRANSIENT = ("ApiPending", "PendingSubmit", "PreSubmitted", "PendingCancel")


def _settled(items: Sequence[Item]) -> list[Item]:
    """The steps without the statuses on the way, as far as another status follows them."""
    kept: list[Item] = []
    for place, item in enumerate(items):
        status = _status(item)
        later = [one for one in items[place + 1 :] if _status(one)]
        if status in TRANSIENT and any(_status(one) != status for one in later):
            continue
        if kept and (item.name, item.says) in [(one.name, one.says) for one in kept[-2:]]:
            continue
        kept.append(item)
    return kept


def _status(item: Item) -> str:
    return next((word for path, word in item.says if path.endswith(".status")), "")


def _note(found: Difference) -> Difference:
    return Difference(found.thread, found.what, f"{found.text} (TWS promises no status on the way)", False)


def _steps(name: str, theirs: Sequence[Item], ours: Sequence[Item]) -> Iterator[Difference]:
    keys = [[(item.name, item.says) for item in items] for items in (theirs, ours)]
    if keys[0] != keys[1] and Counter(keys[0]) == Counter(keys[1]):
        text = f"TWS says {_line(theirs)}; the simulator says {_line(ours)}"
        yield Difference(name, "order", text)
        return
    matcher = SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            for one, other in zip(theirs[a:b], ours[c:d], strict=True):
                yield from _fields(name, one, other)
        else:
            yield from _changed(name, list(theirs[a:b]), list(ours[c:d]))


def _changed(name: str, theirs: list[Item], ours: list[Item]) -> Iterator[Difference]:
    for item in list(theirs):
        other = next((one for one in ours if one.name == item.name), None)
        if other is None:
            continue
        theirs.remove(item)
        ours.remove(other)
        what = "code" if item.name == "ErrorMessage" else "word"
        said = ", ".join(
            f"{path.partition('.')[2] or path} is {theirs_word} at TWS and {ours_word} at the simulator"
            for path, theirs_word, ours_word in _words(item, other)
        )
        yield Difference(name, what, f"{item.name}: {said}")
    for item in theirs:
        yield Difference(name, "missing", f"TWS says {item}, the simulator does not")
    for item in ours:
        yield Difference(name, "extra", f"the simulator says {item}, TWS does not")


def _words(one: Item, other: Item) -> Iterator[tuple[str, str, str]]:
    theirs, ours = dict(one.says), dict(other.says)
    for path in dict.fromkeys([*theirs, *ours]):
        if theirs.get(path) != ours.get(path):
            yield path, theirs.get(path, "not there"), ours.get(path, "not there")


def _fields(name: str, one: Item, other: Item) -> Iterator[Difference]:
    only: dict[str, Any] = {
        "TWS alone states": sorted(one.given - other.given),
        "the simulator alone states": sorted(other.given - one.given),
    }
    said = "; ".join(f"{who} {', '.join(_cut(each) for each in what)}" for who, what in only.items() if what)
    if said:
        yield Difference(name, "fields", f"{one.name}: {said}")
    if one.text != other.text:
        text = f"{one}: TWS writes “{one.text}”, the simulator “{other.text}”"
        yield Difference(name, "text", text, judged=False)


def _cut(path: str) -> str:
    return path.partition(".")[2] or path


def _line(items: Sequence[Item]) -> str:
    return " → ".join(map(str, items)) or "nothing"
