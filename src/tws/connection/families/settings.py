"""TWS's own settings: read, never written. A TWS tells them from server version 219 on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers, hear_rows
from tws.connection.hearing.replies import Reply
from tws.model.settings import TWSSettings
from tws.wire.messages import (
    ConfigResponse,
    WireApiConfig,
    WireApiPrecautions,
    WireApiSettings,
    WireLockAndExit,
)

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["SettingsQuestions", "hear"]


class SettingsQuestions(Asking):
    """The question about settings."""

    def request_settings(self) -> Reply[TWSSettings]:
        """What this TWS is set to. Raises NotSentError below server version 219. TWS refuses it (321) while
        its API is read-only (TWS-BEHAVIOUR.md H).
        """

        def send(number: int) -> None:
            from ibapi.protobuf.ConfigRequest_pb2 import ConfigRequest

            self._engine.official.reqConfigProtoBuf(ConfigRequest(reqId=number))

        return self._request("settings", lambda rows: settings_of(rows[-1]), send)


def settings_of(told: ConfigResponse) -> TWSSettings:
    """What matters to a program. What TWS leaves out is None."""
    api = told.api or WireApiConfig()
    precautions, page = api.precautions or WireApiPrecautions(), api.settings or WireApiSettings()
    end = told.lock_and_exit or WireLockAndExit()
    return TWSSettings(
        read_only=page.read_only_api,
        bypass_precautions=precautions.bypass_order_precautions,
        sends_open_orders=page.download_open_orders_on_connection,
        keeps_orders=page.maintain_and_resubmit_orders_on_reconnect,
        sizes_in_lots=page.send_market_data_in_lots_for_us_stocks,
        socket_port=page.socket_port,
        localhost_only=page.allow_localhost_only,
        trusted_ips=page.trusted_ips,
        master_client_id=page.master_client_id,
        auto_logoff=f"{end.auto_logoff_time} {end.auto_logoff_period}".strip(),
        auto_restart="restart" in end.auto_logoff_type.lower() if end.auto_logoff_type else None,
        dialogs=tuple(message.title for message in told.messages if message.enabled),
    )


def hear(answers: Answers) -> Handlers:
    """Answer 110."""
    return hear_rows(answers, alone=(ConfigResponse,))
