"""What is read off the machine: processes by name and place, WSL's files, times of day."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest

from tws.clock import to_ns
from tws.monitor.doctor.machine import find_processes, free_memory_mb, own_offset_s, program_of
from tws.monitor.doctor.pauses import Restart, known_pauses, next_at, time_of_day
from tws.monitor.doctor.wsl import inside_wsl, own_address, parse_nameserver, parse_route, seen_from

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
"""A Monday."""

ROUTE = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t01B01AAC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t00B01AAC\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0
"""


@pytest.mark.parametrize(
    ("name", "paths", "program"),
    [
        ("tws.exe", (), "TWS"),
        ("tws", (), "TWS"),
        ("ibgateway.exe", (), "IB Gateway"),
        ("IB Gateway 10.30", (), "IB Gateway"),
        ("Trader Workstation 10.30", (), "TWS"),
        ("java", ("/home/u/Jts/ibgateway/1030/jre/bin/java", "/home/u"), "IB Gateway"),
        ("java", ("/usr/lib/jvm/17/bin/java", "/home/u/Jts/1030"), "TWS"),
        ("java.exe", ("C:\\Jts\\1030\\jre\\bin\\java.exe",), "TWS"),
        ("JavaApplicationStub", ("/Applications/Trader Workstation/Contents/MacOS/x",), "TWS"),
        ("java", ("/usr/lib/jvm/17/bin/java", "/home/u"), ""),
        ("java", ("/opt/newtws2/java", "/srv/adjtst"), ""),
        ("python", ("/home/u/Jts/python",), ""),  # a program of the user's that lies there is none
        ("twsapp.exe", (), ""),
    ],
)
def test_which_process_is_a_tws(name: str, paths: tuple[str, ...], program: str) -> None:
    assert program_of(name, *paths) == program


def test_the_process_that_runs_these_tests_is_no_tws() -> None:
    assert os.getpid() not in {process.pid for process in find_processes()}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a script's process bears Python's name")
def test_our_own_command_is_no_tws_though_it_bears_the_name(tmp_path: Path) -> None:
    script = tmp_path / "tws"
    script.write_text(f"#!{sys.executable}\nprint('up', flush=True)\ninput()\n")
    script.chmod(0o700)
    with subprocess.Popen([script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as ours:
        assert ours.stdout is not None and ours.stdout.readline() == "up\n"
        assert psutil.Process(ours.pid).name() == "tws"
        assert ours.pid not in {process.pid for process in find_processes()}
        ours.communicate("\n")


def test_the_machine_itself() -> None:
    assert free_memory_mb() > 0
    assert abs(own_offset_s(1_700_000_000 * 10**9)) <= 15 * 3600


def test_the_default_route_is_the_windows_side() -> None:
    assert parse_route(ROUTE) == "172.26.176.1"
    assert parse_route(ROUTE.replace("01B01AAC", "zz")) == ""
    assert parse_route("") == parse_route("Iface\n") == ""


def test_the_nameserver_is_it_in_older_builds() -> None:
    assert parse_nameserver("# made by WSL\nsearch lan\nnameserver fe80::1\nnameserver 172.26.176.1\n") == (
        "172.26.176.1"
    )
    assert parse_nameserver("options edns0\n") == ""


OWN = {"10.0.0.9": "255.0.0.0", "172.26.182.9": "255.255.240.0"}


def test_what_wsl_knows_of_both_sides() -> None:
    seen = seen_from(ROUTE, "nameserver 10.255.255.254\n", OWN)
    assert (seen.windows, seen.own, seen.mirrored) == ("172.26.176.1", "172.26.182.9", False)
    assert seen_from("", "nameserver 172.26.176.1\n", OWN).windows == "172.26.176.1"
    assert seen_from("", "nameserver 10.255.255.254\n", OWN).windows == ""  # the relay is nobody's side
    assert seen_from(ROUTE, "", OWN, mirrored=True).windows == "127.0.0.1"


def test_which_of_our_addresses_the_other_side_sees() -> None:
    assert own_address(["172.26.176.1"], OWN) == "172.26.182.9"
    assert own_address(["192.0.2.1"], OWN) == "10.0.0.9 or 172.26.182.9"
    assert own_address(["no address"], {}) == ""


def test_which_kernels_are_wsl() -> None:
    assert inside_wsl("5.15.153.1-microsoft-standard-WSL2") and inside_wsl("4.4.0-19041-Microsoft")
    assert not inside_wsl("6.1.0-18-amd64")


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("11:45 PM", NEW_YORK, "2026-11-24 04:45"),
        ("12:07 AM", NEW_YORK, "2026-11-24 05:07"),
        ("12:07 PM", UTC, "2026-11-24 12:07"),
        ("23:45", timezone(timedelta(hours=1)), "2026-11-23 22:45"),
        ("3:30 PM", UTC, "2026-11-23 15:30"),
        ("3:00 PM", UTC, "2026-11-24 15:00"),  # it is this very moment: the next one is tomorrow's
    ],
)
def test_when_a_time_of_day_comes_next(text: str, zone: tzinfo, expected: str) -> None:
    at = time_of_day(text)
    assert at is not None
    assert f"{next_at(at, zone, NOW):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize("text", ["", "never", "25:00", "24:00", "11:75 PM", "11", "13:00 PM", "0:10 AM"])
def test_what_is_no_time_of_day(text: str) -> None:
    assert time_of_day(text) is None


def test_what_is_ahead_in_a_week() -> None:
    """Without TWS's own time the broker's resets; with it the restart, or the log-off."""
    monday = to_ns(NOW)
    resets = known_pauses(monday, None)
    assert {pause.what for pause in resets} == {"nightly reset of the broker's servers"}
    assert [pause.begin for pause in resets] == sorted(pause.begin for pause in resets)
    told = known_pauses(monday, Restart(time(23, 45), NEW_YORK, True))
    assert ("daily restart of TWS", "2026-11-24 04:45") in [
        (pause.what, f"{pause.begin:%Y-%m-%d %H:%M}") for pause in told
    ]
    logs_off = known_pauses(monday, Restart(time(23, 45), NEW_YORK, False))
    assert "daily log-off of TWS" in {pause.what for pause in logs_off}
    night = to_ns(datetime(2026, 11, 24, 6, 0, tzinfo=UTC))
    assert known_pauses(night, None)[0].begin < datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # it is on
