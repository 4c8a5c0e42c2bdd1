"""Every cause that the doctor can name, by its stable key, with its cure.

Menu paths are those of TWS ("File > Global Configuration") and IB Gateway ("Configure > Settings"); they
rest on TWS-BEHAVIOUR.md A3, A5 and H. Braces are filled by `finding`.
"""

from __future__ import annotations

from typing import NamedTuple

from tws.monitor.doctor.report import Finding

__all__ = ["CAUSES", "Cause", "finding"]

SETTINGS = (
    "TWS: File > Global Configuration > API > Settings (IB Gateway: Configure > Settings > API > Settings)"
)


class Cause(NamedTuple):
    """What is wrong, and what to do."""

    cause: str
    cure: str


CAUSES = {
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
        "nothing listens on port {port} of this machine{elsewhere}",
        f"Start TWS or IB Gateway and log in. {SETTINGS}: tick 'Enable ActiveX and Socket Clients' and set "
        "'Socket port' to {port}; or give --port the one that it shows",
    ),
    "refused": Cause(
        "{host}:{port} refuses connections{owner}",
        f"{SETTINGS}: tick 'Enable ActiveX and Socket Clients', and 'Socket port' must be {{port}}. If it "
        "is: a firewall refuses, or TWS has its most clients (32): close some",
    ),
    "unreachable": Cause(
        "no way to {host}:{port} ({detail})",
        "Check address, network and firewall of that machine; loopback (127.0.0.1) needs no firewall rule",
    ),
    "silent": Cause(
        "{host}:{port} takes the connection{owner} and then says nothing",
        "Look at the screen of TWS: answer the dialog 'Accept incoming connection', or add this machine's "
        f"address to 'Trusted IPs' ({SETTINGS}). No dialog there: TWS hangs, restart it",
    ),
    "closed_at_once": Cause(
        "{host}:{port} takes the connection{owner} and closes it at once",
        f"{SETTINGS}: add this machine's address to 'Trusted IPs' (single addresses, no ranges) or, on the "
        "machine of TWS itself, connect to 127.0.0.1",
    ),
    "not_tws": Cause(
        "what answers on {host}:{port} is no TWS{owner}: {detail}",
        f"Give --port the socket port that TWS shows. {SETTINGS}: 'Socket port'",
    ),
    "version": Cause("no common version with this TWS: {detail}", "Update TWS or IB Gateway, then try again"),
    "client_id_in_use": Cause(
        "client id {client_id} is in use at this TWS (error 326)",
        "{suggestion}End the other program that uses {client_id}; if it is gone already, TWS notices after a "
        "while, at the latest when it restarts",
    ),
    "no_session": Cause(
        "TWS agreed on a version but opened no session ({detail})",
        "Log in to TWS and close its dialogs; if it goes on, restart TWS",
    ),
    "no_answer": Cause(
        "TWS opened a session and then left a question unanswered ({detail})",
        "Restart TWS or IB Gateway: it is hung, or its link to IB is",
    ),
    "broker_lost": Cause(
        "TWS itself has lost its link to IB: {detail}",
        "Wait (nightly resets take minutes), or check the network of the machine that runs TWS",
    ),
    "read_only": Cause(
        "TWS has its Read-Only API on: data comes, every order would be refused (code 321)",
        f"To trade: {SETTINGS}: untick 'Read-Only API'. To read only: leave it on, it protects you",
    ),
    "mode_mismatch": Cause(
        "this TWS is logged in to {login} trading ({accounts}), but the mode is {mode}",
        "Log TWS in to {mode} trading, or say --mode {login} if you mean it",
    ),
    "account_mismatch": Cause(
        "the account {account} is not among those of this login ({accounts})",
        "Give --account (TWS_ACCOUNT) one that TWS shows in its title, or log in as its user",
    ),
    "unexpected": Cause("{detail}", "{cure}"),
}


def finding(key: str, stage: str, **facts: object) -> Finding:
    """The finding of a cause; `facts` fill its braces."""
    cause, cure = CAUSES[key]
    return Finding(key, stage, cause.format(**facts), cure.format(**facts))
