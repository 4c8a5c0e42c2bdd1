"""Causes on this machine, before a byte is sent: settings of ours, packages, who listens, WSL.

TWS-BEHAVIOUR.md A3 (API off, wrong port), H (ports, defaults, IB Gateway's lost check box).
"""

from __future__ import annotations

from tws.monitor.doctor.menus import SETTINGS
from tws.monitor.doctor.tables import Cause

__all__ = ["MACHINE"]

_SWITCH_ON = (
    f"{SETTINGS}: tick 'Enable ActiveX and Socket Clients' (IB Gateway has it on, newer ones don't show "
    "the box) and set 'Socket port' to {port}"
)

MACHINE = {
    "configuration": Cause("{text}", "{cure}"),
    "wrong_port_for_mode": Cause(
        "port {port} is where TWS and IB Gateway listen for {port_mode} trading, but the mode is {mode}",
        "For {mode} trading use port {own}; or say --mode {port_mode} if that is what you mean",
    ),
    "package_missing": Cause("the package {name} is not installed", "python -m pip install {wanted}"),
    "packages_mixed": Cause(
        "two distributions claim the package ibapi ({names}): files of one have overwritten the other's",
        "Keep one. {cure} tws-trading-framework",
    ),
    "package_foreign": Cause(
        "ibapi comes from another installer ({origin}), of a version this framework was not built for",
        "{cure} tws-trading-framework",
    ),
    "package_shadowed": Cause(
        "ibapi would be imported from {origin}, which hides the installed one ({own})",
        "Rename or move that folder, or clear PYTHONPATH; IB's own source tree must not stand on the path",
    ),
    "package_broken": Cause("the installed ibapi is damaged: {what}", "{cure} tws-trading-framework"),
    "protobuf_old": Cause(
        "protobuf {version} is too old: ibapi wants at least {wanted}",
        'python -m pip install --upgrade "protobuf>={wanted}"',
    ),
    "name_unknown": Cause(
        "the host {host} has no address ({detail})",
        "Check the spelling, or give its address: --host 127.0.0.1",
    ),
    "nothing_listens": Cause(
        "nothing listens on port {port} of this machine, and no TWS or IB Gateway runs here",
        f"Start TWS or IB Gateway and log in. {_SWITCH_ON}; or give --port the one that it shows",
    ),
    "other_port": Cause(
        "nothing listens on port {port} of this machine, but {elsewhere}",
        "Say --port {other} (TWS_PORT={other}) if that is the TWS you mean: 7497 and 4002 are paper, 7496 "
        f"and 4001 live. Or {SETTINGS}: set 'Socket port' to {{port}}",
    ),
    "api_off": Cause(
        "nothing listens on port {port} of this machine, though {processes}: its API is switched off, or "
        "its login is not finished",
        f"Look at its screen: log in, answer its dialogs. {_SWITCH_ON}",
    ),
    "wsl_other_side": Cause(
        "nothing listens on port {port} inside WSL, where {host} means the Linux side alone; a TWS on the "
        "Windows side is another machine, at {windows}",
        f"Say --host {{windows}} (TWS_HOST={{windows}}). {SETTINGS}: untick 'Allow connections from "
        "localhost only' and add {own} to 'Trusted IPs'; let the Windows firewall pass incoming TCP {port} "
        "from there. Or set networkingMode=mirrored in .wslconfig, then 127.0.0.1 is Windows too",
    ),
    "tws_inside_wsl": Cause(
        "nothing listens on port {port} of this machine, and no TWS runs on the Windows side; WSL is running "
        "({processes})",
        "If TWS runs inside WSL, say --host with the address that 'wsl hostname -I' prints. "
        f"{SETTINGS}: untick 'Allow connections from localhost only' and add the Windows side's address (in "
        "WSL: 'ip route show default') to 'Trusted IPs'. Else start TWS or IB Gateway on Windows",
    ),
    "memory_short": Cause(
        "this machine has {free} MB of memory left; TWS alone wants 4000 MB for a program at its API",
        "Close what is not needed, or give the machine more memory. TWS: File > Global Configuration > "
        "General > Memory Allocation (IB Gateway: Configure > Settings > Memory Allocation): 4000 MB",
        warns=True,
    ),
}
