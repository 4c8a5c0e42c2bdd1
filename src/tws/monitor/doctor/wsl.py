"""WSL: which address the Windows side has, as seen from the Linux side, and which address it sees us under.

With the network that WSL sets up by itself (NAT) 127.0.0.1 is the Linux side alone, and Windows is the
default route; `/etc/resolv.conf` names it too in older builds, a relay of its own in newer ones, so that it
comes second. With `networkingMode=mirrored` both sides share their addresses. Parsing is pure; `read_wsl`
reads.
"""

from __future__ import annotations

import ipaddress
import platform
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from tws.monitor.doctor.report import WSLSeen

__all__ = [
    "inside_wsl",
    "own_address",
    "own_networks",
    "parse_nameserver",
    "parse_route",
    "read_wsl",
    "seen_from",
]

_RELAY = "10.255.255.254"
"""WSL's own relay for names, in builds that tunnel them: it is not the Windows side (reported)."""

_MIRROR = "loopback0"
"""The interface that only a mirrored network has (reported)."""


def inside_wsl(kernel: str) -> bool:
    """Whether a kernel's release is that of WSL, such as 5.15.153.1-microsoft-standard-WSL2."""
    return "microsoft" in kernel.lower()


def parse_route(text: str) -> str:
    """The gateway of the default route in `/proc/net/route`, "" if it has none."""
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) > 7 and words[1] == "00000000" and words[7] == "00000000" and words[2] != "00000000":
            try:
                return str(ipaddress.IPv4Address(int(words[2], 16).to_bytes(4, "little")))
            except (ValueError, OverflowError):
                continue
    return ""


def parse_nameserver(text: str) -> str:
    """The first nameserver with an IPv4 address in `/etc/resolv.conf`, "" if there is none."""
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                return str(ipaddress.IPv4Address(words[1]))
            except ValueError:
                continue
    return ""


def seen_from(route: str, resolv: str, own: Mapping[str, str], *, mirrored: bool = False) -> WSLSeen:
    """What the texts of the two files say; `own` maps this side's addresses to their network masks.

    With a mirrored network the default route is the house's router, and Windows is 127.0.0.1.
    """
    gateway, server = parse_route(route), parse_nameserver(resolv)
    windows = gateway or ("" if server == _RELAY else server)
    if mirrored:
        windows = "127.0.0.1"
    return WSLSeen(windows=windows, own=own_address([windows], own), mirrored=mirrored)


def own_address(towards: Iterable[str], own: Mapping[str, str]) -> str:
    """Which of our addresses (address: mask) is in a network with one of `towards`; else all of them."""
    for other in towards:
        for address, mask in own.items():
            try:
                network = ipaddress.ip_network(f"{address}/{mask}", strict=False)
                if ipaddress.ip_address(other) in network:
                    return address
            except ValueError:
                continue
    return " or ".join(own)


def own_networks() -> dict[str, str]:
    """This machine's IPv4 addresses beyond loopback, with their masks."""
    return {
        entry.address: entry.netmask or "255.255.255.255"
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family == socket.AF_INET and not entry.address.startswith("127.")
    }


def read_wsl() -> WSLSeen | None:
    """What this side knows; None outside WSL. Blocking; never raises."""
    if not inside_wsl(platform.release()):
        return None
    mirrored = _MIRROR in psutil.net_if_addrs()
    return seen_from(_read("/proc/net/route"), _read("/etc/resolv.conf"), own_networks(), mirrored=mirrored)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
