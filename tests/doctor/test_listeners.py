"""The table of sockets: real sockets in it, and who would take a connection."""

from __future__ import annotations

import os
import socket

import psutil
import pytest

from tws.monitor.doctor.listeners import (
    LinkSeen,
    SocketTable,
    accepting,
    half_closed,
    holders,
    is_local,
    read_table,
    served,
)
from tws.monitor.doctor.report import ListenerSeen


def table(*addresses: str) -> SocketTable:
    return SocketTable(True, "", tuple(ListenerSeen(address=one, port=7497) for one in addresses))


@pytest.mark.parametrize(
    ("address", "wanted", "taken"),
    [
        ("0.0.0.0", "127.0.0.1", True),
        ("::", "127.0.0.1", True),
        ("::", "::1", True),
        ("::ffff:0.0.0.0", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("fe80::1%eth0", "fe80::1", True),
        ("192.168.1.5", "127.0.0.1", False),
        ("127.0.0.2", "127.0.0.1", False),
        ("::1", "127.0.0.1", False),
    ],
)
def test_who_takes_a_connection(address: str, wanted: str, taken: bool) -> None:
    assert bool(accepting(table(address), [wanted], 7497)) is taken
    assert accepting(table(address), [wanted], 7496) == ()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_real_listener_is_found_with_its_owner(family: socket.AddressFamily) -> None:
    address = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.socket(family) as one:
        try:
            one.bind((address, 0))
        except OSError:
            pytest.skip("this machine has no such loopback")
        one.listen()
        port = one.getsockname()[1]
        seen = read_table()
        if not seen.whole:
            pytest.skip(seen.why)
        (found,) = accepting(seen, [address], port)
        assert (found.pid, found.process) == (os.getpid(), psutil.Process().name())


def test_a_real_connection_is_seen_from_both_ends() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            taken, _ = server.accept()
            with taken:
                seen = read_table()
                if not seen.whole:
                    pytest.skip(seen.why)
                assert (served(seen, port), half_closed(seen, port)) == (1, 0)
                assert holders(seen, port) == (f"{psutil.Process().name()}, pid {os.getpid()}",)


def test_an_ended_link_holds_nothing_and_serves_nobody() -> None:
    ended = LinkSeen(port=7497, remote_port=50_000, ended=True, process="java", pid=7)
    other = LinkSeen(port=50_001, remote_port=7497, process="", pid=9)
    seen = SocketTable(True, "", (), (ended, other, LinkSeen(port=50_002, remote_port=7497)))
    assert (served(seen, 7497), half_closed(seen, 7497)) == (0, 1)
    assert holders(seen, 7497) == ("a process, pid 9",)


def test_a_table_that_cannot_be_read_says_so_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(kind: str) -> list[object]:
        raise psutil.AccessDenied(pid=1)

    monkeypatch.setattr(psutil, "net_connections", denied)
    seen = read_table()
    assert (seen.whole, seen.listeners) == (False, ())
    assert "AccessDenied" in seen.why


def test_inside_wsl_an_absence_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.release", lambda: "5.15.153.1-microsoft-standard-WSL2")
    assert read_table().whole is False


def test_which_addresses_are_this_machine() -> None:
    assert is_local(["127.0.0.1"]) and is_local(["::1"]) and is_local(["127.8.9.1"])
    assert not is_local(["192.0.2.1"])
    own = [a.address for rows in psutil.net_if_addrs().values() for a in rows if a.family == socket.AF_INET]
    assert all(is_local([address]) for address in own)
