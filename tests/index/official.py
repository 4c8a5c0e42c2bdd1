"""The requests of the installed official client, read from its source: name and the id of what it sends.

A request is a method that sends a message. Its twin that takes the protobuf message (`reqIdsProtoBuf` of
`reqIds`) is the same request; where there is only the twin, it stands for itself.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from typing import NamedTuple

from ibapi import client
from ibapi.message import OUT

__all__ = ["requests"]


class Sent(NamedTuple):
    """What a method names: ids of messages, and methods of its own."""

    ids: set[int]
    calls: set[str]


@cache
def requests() -> dict[str, int]:
    """By name, in the client's own order."""
    (tree,) = (
        node
        for node in ast.parse(inspect.getsource(client)).body
        if isinstance(node, ast.ClassDef) and node.name == "EClient"
    )
    methods = {node.name: _sent(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    found: dict[str, int] = {}
    twins: set[str] = set()
    for name, sent in methods.items():
        inner = {call for call in sent.calls if call.endswith("ProtoBuf") and methods[call].ids}
        ids = sent.ids.union(*(methods[call].ids for call in inner))
        twins |= inner
        if ids:
            (found[name],) = ids
    return {name: number for name, number in found.items() if name not in twins}


def _sent(method: ast.FunctionDef) -> Sent:
    sent = Sent(set(), set())
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "OUT":
                sent.ids.add(getattr(OUT, node.attr))
            elif node.value.id == "self" and hasattr(client.EClient, node.attr):
                sent.calls.add(node.attr)
    return sent
