"""What asyncio asks of every loop and a simulated world refuses or has no use for."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

from tws.errors import SimulationError

__all__ = ["BareLoop"]


def _refuse(self: object, *args: object, **options: object) -> NoReturn:
    raise SimulationError(
        "a virtual loop has no socket, pipe, process or name service: "
        "dial and listen through the simulated network (tws.world.Network)"
    )


def _unable(self: object, *args: object, **options: object) -> NoReturn:
    raise NotImplementedError  # as asyncio's loop on Windows; portable code is ready for it


_refused: Any = _refuse
_absent: Any = _unable


class BareLoop(asyncio.AbstractEventLoop):
    """A loop without a real world. What it refuses raises SimulationError at the call."""

    create_connection = create_server = create_datagram_endpoint = _refused
    create_unix_connection = create_unix_server = connect_accepted_socket = _refused
    start_tls = sendfile = connect_read_pipe = connect_write_pipe = _refused
    subprocess_exec = subprocess_shell = _refused
    getaddrinfo = getnameinfo = _refused
    add_reader = remove_reader = add_writer = remove_writer = _refused
    sock_recv = sock_recv_into = sock_recvfrom = sock_recvfrom_into = _refused
    sock_sendall = sock_sendto = sock_sendfile = sock_connect = sock_accept = _refused
    set_default_executor = set_task_factory = _refused
    add_signal_handler = remove_signal_handler = _absent

    def get_debug(self) -> bool:
        """Never: asyncio's debug mode measures real time."""
        return False

    def set_debug(self, enabled: bool) -> None:
        """Ignored."""

    def get_task_factory(self) -> None:
        """None: tasks are asyncio's own."""

    async def shutdown_asyncgens(self) -> None:
        """Nothing: a generator is closed when it is dropped."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Nothing: there is none."""
