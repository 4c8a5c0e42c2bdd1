"""Causes that an open session shows. TWS-BEHAVIOUR.md A1, A3, A5, A6, B, H."""

from __future__ import annotations

from tws.monitor.doctor.menus import LOCK_AND_EXIT, LOGIN_ZONE, LOGS, SETTINGS
from tws.monitor.doctor.tables import Cause

__all__ = ["SESSION"]

SESSION = {
    "no_answer": Cause(
        "TWS opened a session and then left a question unanswered ({detail})",
        f"Restart TWS or IB Gateway: it is hung, or its link to IB is. {LOGS}",
    ),
    "question_refused": Cause(
        "TWS opened a session and then refused a plain question ({detail})",
        f"Restart TWS or IB Gateway; if it goes on, update it. {LOGS}",
    ),
    "port_changed": Cause(
        "the socket port of this TWS was changed while we were connected (code 1300); it is {new_port} now",
        f"Say --port {{new_port}} (TWS_PORT={{new_port}}), or set it back. {SETTINGS}: 'Socket port'",
    ),
    "paced_out": Cause(
        "TWS counts too many messages in a second (code 100) and ends sessions for it",
        "Slow down the programs on this client id: half as many messages a second as there are market data "
        f"lines, 50 as a rule. {SETTINGS}: with 'Reject messages above maximum allowed message rate' "
        "unticked TWS delays them instead",
    ),
    "broker_lost": Cause(
        "TWS itself has lost its link to IB: {detail}",
        "Wait (nightly resets take minutes), or check the network of the machine that runs TWS; Ctrl-Alt-R "
        "in TWS makes it reconnect",
    ),
    "farm_broken": Cause(
        "TWS has lost a server of IB: {farms}",
        "Wait (it comes back by itself, at night within minutes). If it does not: Ctrl-Alt-F in TWS "
        "reconnects its data, a restart of TWS or IB Gateway too; check the network of its machine",
    ),
    "no_accounts": Cause(
        "TWS names no account of its login",
        "Finish the login in TWS or IB Gateway: second factor, dialogs, agreements; then restart it if need "
        "be",
    ),
    "account_mismatch": Cause(
        "the account {account} is not among those of this login ({accounts})",
        "Give --account (TWS_ACCOUNT) one that TWS shows in its title, or log in as its user",
    ),
    "mode_mismatch": Cause(
        "this TWS is logged in to {login} trading ({accounts}), but the mode is {mode}",
        "Log TWS in to {mode} trading, or say --mode {login} if you mean it",
    ),
    "read_only": Cause(
        "TWS has its Read-Only API on: data comes, every order would be refused (code 321)",
        f"To trade: {SETTINGS}: untick 'Read-Only API'. To read only: leave it on, it protects you",
    ),
    "clock_skew": Cause(
        "this machine's clock is {seconds} s {side} TWS",
        "Set both clocks by the network. Windows: Settings > Time & language > Date & time > Sync now; "
        "Linux: timedatectl set-ntp true; macOS: System Settings > General > Date & Time",
        warns=True,
    ),
    "answers_slow": Cause(
        "TWS took {answer_ms} ms to tell the time",
        "Look at the load and memory of its machine, and at the network to it; TWS wants 4000 MB for "
        "programs at its API. An order takes at least as long",
        warns=True,
    ),
    "zone_unknown": Cause(
        "the time zone of TWS's login can't be told: {detail}",
        f"Choose a zone with an English name, such as America/New_York: {LOGIN_ZONE}. Until then time stamps "
        "that TWS sends without a zone are read as UTC",
        warns=True,
    ),
    "zone_differs": Cause(
        "TWS is logged in with the zone {zone} (UTC{tws_offset}), this machine is at UTC{own_offset}",
        f"Nothing, if you mean it: the framework asks in UTC. Else choose the zone at {LOGIN_ZONE}",
        warns=True,
    ),
    "texts_foreign": Cause(
        "TWS writes its messages in another language than English (code {code}: {text})",
        f"{SETTINGS}: tick 'Show API errors in English' where it is offered; or choose English at the login "
        "screen. Codes are understood all the same",
        warns=True,
    ),
    "tws_old": Cause(
        "this TWS speaks version {version} of the API: below 163 it refuses fractional sizes (code 10285)",
        "Update TWS or IB Gateway",
        warns=True,
    ),
    "half_closed": Cause(
        "TWS still holds {half_closed} connections that ended long ago, as bare probes of its port leave "
        "them; builds are known to hang on those",
        "End what probes the port (telnet, a health check), and restart TWS or IB Gateway when it is "
        "convenient",
        warns=True,
    ),
    "pause_near": Cause(
        "{what}: {when}",
        f"Expect the link to go; place no orders near it. {LOCK_AND_EXIT} says when TWS restarts",
        warns=True,
    ),
}
