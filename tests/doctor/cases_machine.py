"""Causes on the machine: settings of ours, packages, who listens, a TWS without its API, WSL."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.doctor.cases import case
from tests.doctor.scene import NO_TWS_HERE, config, free_port, simulated
from tests.doctor.test_packages import OURS, VERSION, install

from tws.config import TWSConfig
from tws.monitor.doctor import Report
from tws.monitor.doctor.examine import Tools, diagnose
from tws.monitor.doctor.machine import find_processes
from tws.monitor.doctor.packages import check_packages
from tws.monitor.doctor.report import ProcessSeen
from tws.monitor.doctor.session import Session, open_session
from tws.monitor.doctor.wsl import seen_from

ROUTE = (
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t01B01AAC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth0\t00B01AAC\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0\n"
)
"""`/proc/net/route` of a WSL whose Windows side is 172.26.176.1."""


@case("configuration", also=("account_mismatch",))
async def a_live_account_in_paper_mode(tmp: Path) -> Report:
    async with simulated() as (_, port):
        return await diagnose(config(port, account_id="U1234567"))


@case("wrong_port_for_mode")
async def paper_meant_on_a_live_port(tmp: Path) -> Report:
    """The session itself goes to a simulator: the port may have a real owner on the machine that tests."""
    async with simulated() as (_, real):

        def elsewhere(config: TWSConfig) -> Session:
            return open_session(replace(config, port=real, trading_mode="paper"))

        return await diagnose(config(7496), Tools(open_session=elsewhere))


async def examined(*path: Path) -> Report:
    """Found on this path, as if it were Python's."""
    checked = check_packages([str(folder) for folder in path])
    return await diagnose(config(free_port()), replace(NO_TWS_HERE, packages=lambda: checked))


def site(tmp: Path) -> Path:
    install(tmp / "site", "protobuf", "6.30.0", {"google/protobuf/__init__.py": ""})
    install(tmp / "site", "nautilus-ibapi", "10.46.1", OURS)
    return tmp / "site"


@case("package_missing")
async def nothing_is_installed(tmp: Path) -> Report:
    return await examined(tmp)


@case("packages_mixed")
async def ibs_own_installer_beside_ours(tmp: Path) -> Report:
    install(site(tmp), "ibapi", "10.30.1", {"ibapi/__init__.py": VERSION.replace("46", "30")})
    return await examined(tmp / "site")


@case("package_foreign")
async def a_source_tree_alone(tmp: Path) -> Report:
    install(tmp, "protobuf", "6.30.0", {})
    (tmp / "ibapi").mkdir()
    (tmp / "ibapi" / "__init__.py").write_text(VERSION, encoding="utf-8")
    return await examined(tmp)


@case("package_shadowed")
async def a_source_tree_in_front(tmp: Path) -> Report:
    (tmp / "tree" / "ibapi").mkdir(parents=True)
    (tmp / "tree" / "ibapi" / "__init__.py").write_text(VERSION, encoding="utf-8")
    return await examined(tmp / "tree", site(tmp))


@case("package_broken")
async def a_file_is_missing(tmp: Path) -> Report:
    (site(tmp) / "ibapi" / "client.py").unlink()
    return await examined(tmp / "site")


@case("protobuf_old")
async def an_old_protobuf(tmp: Path) -> Report:
    install(tmp, "protobuf", "5.29.4", {})
    install(tmp, "nautilus-ibapi", "10.46.1", OURS)
    return await examined(tmp)


@case("name_unknown")
async def a_host_that_no_resolver_takes(tmp: Path) -> Report:
    """Refused by the resolver itself, so that nobody is asked over the network."""
    return await diagnose(config(7497, host="a..b"))


@case("nothing_listens")
async def no_tws_runs(tmp: Path) -> Report:
    return await diagnose(config(free_port()), NO_TWS_HERE)


@case("other_port")
async def tws_listens_on_another_port(tmp: Path) -> Report:
    """The simulator's process counts as a TWS; the table of sockets is the system's own."""
    own = ProcessSeen(program="TWS", process="python", pid=os.getpid())
    async with simulated() as (_, port):
        report = await diagnose(config(free_port()), replace(NO_TWS_HERE, processes=lambda: (own,)))
        assert f"listens on {port}" in report.findings[0].cause
    return report


@case("api_off")
async def tws_runs_and_its_api_is_off(tmp: Path) -> Report:
    """A real process that is called java and lies where IB Gateway does; its command line stays its own."""
    if not sys.platform.startswith("linux"):
        pytest.skip("a copied program runs anywhere on Linux alone")
    java = tmp / "Jts" / "ibgateway" / "1030" / "jre" / "bin" / "java"
    java.parent.mkdir(parents=True)
    shutil.copy(shutil.which("sleep") or "/bin/sleep", java)
    gateway = await asyncio.create_subprocess_exec(str(java), "60", "0.31337")

    def mine() -> tuple[ProcessSeen, ...]:
        return tuple(one for one in find_processes() if one.pid == gateway.pid)

    try:
        report = await diagnose(config(free_port()), replace(NO_TWS_HERE, processes=mine))
    finally:
        gateway.kill()
        await gateway.wait()
    assert [(seen.program, seen.process) for seen in report.processes] == [("IB Gateway", "java")]
    assert "31337" not in str(report)
    return report


@case("wsl_other_side")
async def tws_is_on_the_windows_side(tmp: Path) -> Report:
    wsl = seen_from(ROUTE, "nameserver 10.255.255.254\n", {"172.26.182.9": "255.255.240.0"})
    report = await diagnose(config(free_port()), replace(NO_TWS_HERE, wsl=lambda: wsl))
    assert "--host 172.26.176.1" in report.findings[0].cure
    assert "172.26.182.9 to 'Trusted IPs'" in report.findings[0].cure
    return report


@case("tws_inside_wsl")
async def tws_may_be_inside_wsl(tmp: Path) -> Report:
    tools = replace(NO_TWS_HERE, wsl_processes=lambda: ("wslrelay.exe",))
    report = await diagnose(config(free_port()), tools)
    assert "wsl hostname -I" in report.findings[0].cure
    return report


@case("memory_short")
async def little_memory_is_left(tmp: Path) -> Report:
    async with simulated() as (_, port):
        return await diagnose(config(port), Tools(free_memory_mb=lambda: 100))
