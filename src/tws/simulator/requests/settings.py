"""TWS's own settings (108, from server version 219): told as they are set here, never changed.

In read-only mode they are refused as a write is (`tws.simulator.admission`; H). The form of the answer is
recorded in part: an answer printed in IB's documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tws.simulator.session import Session
from tws.wire.messages import (
    ConfigRequest,
    ConfigResponse,
    WireApiConfig,
    WireApiPrecautions,
    WireApiSettings,
    WireLockAndExit,
    WireMessageSetting,
    WireOrdersConfig,
    WireSmartRoutingSettings,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Settings"]


class Settings:
    """Answers at once."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {ConfigRequest: self._tell}

    def _tell(self, session: Session, request: ConfigRequest) -> None:
        options, told = self._core.options, self._core.options.settings
        time, _, period = told.logoff_time.partition(" ")
        messages = tuple(
            WireMessageSetting(id=place, title=title, default_action="Hidden", enabled=True)
            for place, title in enumerate(told.dialogs, start=1)
        )
        settings = WireApiSettings(
            read_only_api=options.read_only,
            download_open_orders_on_connection=options.send_open_orders,
            socket_port=options.port or None,
            master_client_id=options.master_client_id,
            send_market_data_in_lots_for_us_stocks=told.sizes_in_lots,
            reject_messages_above_max_rate=options.limits.reject,
            maintain_and_resubmit_orders_on_reconnect=told.keeps_orders,
            allow_localhost_only=options.localhost_only,
            trusted_ips=options.trusted or (),
        )
        answer = ConfigResponse(
            req_id=request.req_id,
            lock_and_exit=WireLockAndExit(
                auto_logoff_time=time,
                auto_logoff_period=period,
                auto_logoff_type="restart" if told.auto_restart else "logoff",
            ),
            messages=messages,
            api=WireApiConfig(
                precautions=WireApiPrecautions(bypass_order_precautions=told.bypass_precautions),
                settings=settings,
            ),
            orders=WireOrdersConfig(smart_routing=WireSmartRoutingSettings(default_algorithm="SMART")),
        )
        session.send(answer)
