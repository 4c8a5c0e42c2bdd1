"""From a failed connect to the key of its cause: by the connection's words, and what the machine adds."""

from __future__ import annotations

from typing import Any

from tws.config import TWSConfig
from tws.errors import ConnectError
from tws.monitor.doctor.place import Place, owner_of, process_line

__all__ = ["MOST_CLIENTS", "name_failure"]

MOST_CLIENTS = 32
"""TWS's own bound (TWS-BEHAVIOUR.md A3)."""


def name_failure(
    failure: ConnectError, place: Place, config: TWSConfig, wsl_processes: tuple[str, ...] = ()
) -> tuple[str, dict[str, Any]]:
    """The cause's key and the facts for its text."""
    key, facts = _by_words(failure)
    if failure.stage == "dial" and key == "refused":
        key, more = _nobody(place, config, wsl_processes)
        facts |= more
    if key in ("refused", "closed_at_once") and place.served >= MOST_CLIENTS:
        key, facts = "too_many_clients", {"clients": place.served}
    if key == "silent" and place.half_closed:
        key, facts = "wedged", {"half_closed": place.half_closed}
    where = {"host": config.host, "port": config.port, "owner": place.owner, "own": place.own}
    return key, {**where, **facts}


def _by_words(failure: ConnectError) -> tuple[str, dict[str, Any]]:
    """By stage and cause. What is not known here keeps the connection's own words."""
    stage, cause = failure.stage, failure.cause
    if stage == "dial" and cause.startswith("refused"):
        return "refused", {}
    if stage in ("dial", "handshake") and "closed it at once" in cause:
        return "closed_at_once", {}
    if stage == "dial" and "did not answer" in cause:
        return "no_reply", {}
    if stage == "dial" and ("can't be" in cause or "unknown" in cause):
        return "unreachable", {"detail": cause}
    if stage == "handshake" and failure.code == 503:
        return "version", {"detail": cause}
    if stage == "handshake" and "said nothing" in cause:
        return "silent", {}
    if stage == "handshake":
        return "not_tws", {"detail": cause}
    if stage == "start":
        return "no_session", {"detail": cause}
    return "unexpected", {"detail": f"{stage}: {cause}", "cure": failure.cure}


def _nobody(place: Place, config: TWSConfig, wsl_processes: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """The dial was refused: who else listens, what runs, where else TWS may be."""
    inside_wsl = place.wsl is not None and not place.wsl.mirrored
    if not place.local or place.listeners or not (place.absent or inside_wsl):
        return "refused", {}
    if place.elsewhere:
        lines = [f"{owner_of(one) or 'a process'} listens on {one.port}" for one in place.elsewhere]
        return "other_port", {"elsewhere": "; ".join(lines), "other": place.elsewhere[0].port}
    if place.processes:
        return "api_off", {"processes": "; ".join(process_line(one) for one in place.processes)}
    if place.wsl is not None and inside_wsl:
        windows = place.wsl.windows or "the address that 'ip route show default' names"
        return "wsl_other_side", {"windows": windows, "own": place.wsl.own}
    if wsl_processes:
        return "tws_inside_wsl", {"processes": ", ".join(wsl_processes)}
    return "nothing_listens", {}
