"""From which server version a message travels as protobuf. One table for requests, one for answers.

Below its mark a message is text; from 201 on every payload begins with the message's id as four bytes, and
an id above 200 says that the body behind it is protobuf (TWS-BEHAVIOUR.md F1, F2). Requests: the official
client 10.46's own table. Answers: by the official decoders and the same grouping; `ASSUMED` names those
for which only the grouping speaks. What has no mark is text at every version.
"""

from __future__ import annotations

__all__ = ["ANSWERS", "ASSUMED", "PROTOBUF_OFFSET", "RAW_ID", "REQUESTS"]

RAW_ID = 201
"""From this server version on the id is four bytes, most significant first."""

PROTOBUF_OFFSET = 200
"""Added to the id of a message whose body is protobuf."""


def _table(*rows: tuple[int, tuple[int, ...]]) -> dict[int, int]:
    return {message_id: version for version, ids in rows for message_id in ids}


REQUESTS = _table(
    (201, (7,)),
    (203, (3, 4, 58)),
    (204, (5, 15, 16, 99)),
    (205, (9,)),
    (206, (1, 2, 10, 11, 59)),
    (207, (6, 17, 61, 62, 63, 64, 74, 75, 76, 77)),
    (208, (20, 25, 50, 51, 87, 88, 89, 90, 96, 97, 98)),
    (209, (12, 13, 84, 85, 86, 100, 101, 102, 103)),
    (210, (22, 23, 24, 52, 53, 92, 93, 94, 95)),
    (211, (18, 19, 21, 54, 55, 56, 57)),
    (212, (78, 79, 80, 81, 83, 91, 104)),
    (213, (8, 14, 49, 65, 66, 67, 68, 69, 70, 71, 82, 105)),
    (215, (106, 107)),
    (219, (108,)),
    (221, (109,)),
)
"""Request id: server version. 106 to 109 are younger than the official table and have no text form."""

ASSUMED = frozenset((59, 91, 92, 106))
"""Answers whose mark the official sources don't state. A client of 203 reads 59 as text alone (F2)."""

ANSWERS = _table(
    (201, (11, 55)),
    (203, (3, 4, 5, 53)),
    (204, (100, 101, 102)),
    (205, (10, 18, 52)),
    (206, (1, 2, 12, 13, 21, 45, 46, 57, 58, 81)),
    (207, (6, 7, 8, 15, 54, 61, 62, 63, 64, 71, 72, 73, 74)),
    (208, (17, 50, 88, 89, 90, 96, 97, 98, 99, 108)),
    (209, (14, 83, 84, 85, 86, 87, 104, 105)),
    (210, (19, 20, 51, 94, 95)),
    (211, (16, 59, 91, 92, 103, 106)),
    (212, (75, 76, 77, 78, 79, 82, 93, 107)),
    (213, (9, 49, 65, 66, 67, 68, 80, 109)),
    (219, (110,)),
    (221, (111,)),
)
"""Answer id: server version."""
