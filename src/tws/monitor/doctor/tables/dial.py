"""Causes between the dial and the open session. TWS-BEHAVIOUR.md A1, A3, A5, A7."""

from __future__ import annotations

from tws.monitor.doctor.menus import LOGS, SETTINGS
from tws.monitor.doctor.tables import Cause

__all__ = ["DIAL"]

DIAL = {
    "refused": Cause(
        "{host}:{port} refuses connections{owner}",
        f"Log in to the TWS there. {SETTINGS}: tick 'Enable ActiveX and Socket Clients', and 'Socket port' "
        "must be {port}. If all that is so, a firewall refuses",
    ),
    "unreachable": Cause(
        "no way to {host}:{port} ({detail})",
        "Check address, network and firewall of that machine; loopback (127.0.0.1) needs no firewall rule",
    ),
    "no_reply": Cause(
        "{host}:{port} does not answer a dial at all: a firewall swallows it, or that machine is off{owner}",
        "Let the firewall of the machine of TWS pass incoming TCP {port} from {own}; check that it is on and "
        "has this address. Loopback (127.0.0.1) needs no rule",
    ),
    "too_many_clients": Cause(
        "{host}:{port} takes no more clients{owner}: {clients} are connected, and TWS has room for 32",
        "End programs that you no longer need; a restart of TWS or IB Gateway ends them all",
    ),
    "silent": Cause(
        "{host}:{port} takes the connection{owner} and then says nothing",
        "Look at the screen of TWS: answer the dialog 'Accept incoming connection', or add {own} "
        f"to 'Trusted IPs' ({SETTINGS}). No dialog there: TWS hangs, restart it; or another program "
        f"has the port: compare it with 'Socket port'. {LOGS}",
    ),
    "wedged": Cause(
        "{host}:{port} takes the connection{owner} and reads nobody: {half_closed} connections that ended "
        "are still held, as a bare probe of the port (telnet, a health check) leaves them",
        "Restart TWS or IB Gateway: nothing else helps. Then end what probes its port; to ask whether it "
        f"lives, use tws doctor. {LOGS}",
    ),
    "closed_at_once": Cause(
        "{host}:{port} takes the connection{owner} and closes it at once",
        f"{SETTINGS}: untick 'Allow connections from localhost only' and add {{own}} to 'Trusted IPs' "
        "(single addresses, no ranges) or, on the machine of TWS itself, connect to 127.0.0.1",
    ),
    "not_tws": Cause(
        "what answers on {host}:{port} is no TWS{owner}: {detail}",
        f"Give --port the socket port that TWS shows. {SETTINGS}: 'Socket port'",
    ),
    "version": Cause("no common version with this TWS: {detail}", "Update TWS or IB Gateway, then try again"),
    "client_id_in_use": Cause(
        "client id {client_id} is in use at this TWS (error 326){holders}",
        "{suggestion}Or end the other program that uses {client_id}; if it is gone already, TWS notices "
        "after a while, at the latest when it restarts",
    ),
    "client_id_zombie": Cause(
        "client id {client_id} counts as in use (error 326) though nobody is connected to this TWS: it has "
        "not noticed yet that the program which had it is gone",
        "{suggestion}Or wait some minutes; at the latest a restart of TWS or IB Gateway frees it. Programs "
        "that close their session in an orderly way leave no such id behind",
    ),
    "no_session": Cause(
        "TWS agreed on a version but opened no session ({detail})",
        "Log in to TWS and close its dialogs (a login, a paper account's warning, an update); if it goes on, "
        f"restart TWS. {LOGS}",
    ),
    "unexpected": Cause("{detail}", "{cure}"),
}
