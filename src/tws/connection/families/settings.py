"""TWS's own settings: told from server version 219 on, changed from 221 on.

A change of them can open what guards the account, so it leaves through `Outbound` as an order does: past the
live lock and the brake, and only when whoever made the connection has allowed the kind ("updateConfig").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tws.connection.families.base import Handlers, first, hear_rows
from tws.connection.families.whatif import WhatIfQuestions
from tws.connection.hearing.replies import Reply
from tws.errors import NotSentError
from tws.model.settings import (
    MessageSetting,
    SettingsChange,
    SettingsOutcome,
    SettingsWarning,
    TWSSettings,
)
from tws.wire.messages import (
    ConfigResponse,
    UpdateConfigRequest,
    UpdateConfigResponse,
    WireApiConfig,
    WireApiPrecautions,
    WireApiSettings,
    WireConfigWarning,
    WireLockAndExit,
    WireMessageSetting,
)

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["SettingsQuestions", "hear"]

UPDATES_SINCE = 221


class SettingsQuestions(WhatIfQuestions):
    """The question about settings, and their change."""

    def request_settings(self) -> Reply[TWSSettings]:
        """What this TWS is set to. Raises NotSentError below server version 219. TWS refuses it (321) while
        its API is read-only (TWS-BEHAVIOUR.md H).
        """

        def send(number: int) -> None:
            from ibapi.protobuf.ConfigRequest_pb2 import ConfigRequest

            self._engine.official.reqConfigProtoBuf(ConfigRequest(reqId=number))

        return self._request("settings", lambda rows: settings_of(rows[-1]), send)

    def update_settings(
        self, change: SettingsChange, accept: Iterable[SettingsWarning] = ()
    ) -> Reply[SettingsOutcome]:
        """Change TWS's settings; `accept` are the warnings of an earlier outcome.

        Raises NotSentError below server version 221, ValueError for a change of nothing, OrderDeniedError
        when the gate refuses it; no byte left then. TWS's errors and warnings are in the outcome;
        RequestError (321) while its API is read-only. RequestTimeoutError and LinkLostError leave open
        whether it was changed: ask for the settings.
        """
        self._must_be_ready()
        if change == SettingsChange():
            raise ValueError("the change changes nothing")
        engine, version = self._engine, self._engine.server_version
        if version < UPDATES_SINCE:
            raise NotSentError(503, f"a change of settings needs version {UPDATES_SINCE}, TWS has {version}")
        warnings = tuple(
            WireConfigWarning(message_id=one.id, title=one.title, message=one.text) for one in accept
        )

        def send(number: int) -> None:
            wish = request_of(number, change, warnings)
            self._until_written(number, engine.outbound.submit(*engine.encoder.update_settings(wish)))

        return self._request("change of settings", lambda rows: outcome_of(first(rows)), send)


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
        messages=tuple(
            MessageSetting(id=one.id, title=one.title, enabled=one.enabled) for one in told.messages
        ),
        exercise_requests=page.option_exercise_request_type,
    )


def request_of(
    number: int, change: SettingsChange, accepted: tuple[WireConfigWarning, ...]
) -> UpdateConfigRequest:
    """The change in TWS's own fields; a page of which nothing changes is not stated."""
    time, _, period = change.auto_logoff.partition(" ")
    kinds = {None: "", True: "restart", False: "logoff"}
    lock = WireLockAndExit(
        auto_logoff_time=time, auto_logoff_period=period, auto_logoff_type=kinds[change.auto_restart]
    )
    precautions = WireApiPrecautions(bypass_order_precautions=change.bypass_precautions)
    page = WireApiSettings(
        read_only_api=change.read_only,
        download_open_orders_on_connection=change.sends_open_orders,
        maintain_and_resubmit_orders_on_reconnect=change.keeps_orders,
        send_market_data_in_lots_for_us_stocks=change.sizes_in_lots,
        socket_port=change.socket_port,
        allow_localhost_only=change.localhost_only,
        trusted_ips=change.trusted_ips,
        master_client_id=change.master_client_id,
        option_exercise_request_type=change.exercise_requests,
    )
    api = WireApiConfig(
        precautions=None if precautions == WireApiPrecautions() else precautions,
        settings=None if page == WireApiSettings() else page,
    )
    return UpdateConfigRequest(
        req_id=number,
        lock_and_exit=None if lock == WireLockAndExit() else lock,
        messages=tuple(WireMessageSetting(id=number, enabled=on) for number, on in change.messages),
        api=None if api == WireApiConfig() else api,
        accepted_warnings=accepted,
        reset_api_order_sequence=change.reset_order_ids or None,
    )


def outcome_of(told: UpdateConfigResponse) -> SettingsOutcome:
    """TWS's words as ours."""
    return SettingsOutcome(
        status=told.status,
        text=told.message,
        changed=told.changed_fields,
        errors=told.errors,
        warnings=tuple(
            SettingsWarning(id=one.message_id, title=one.title, text=one.message) for one in told.warnings
        ),
    )


def hear(answers: Answers) -> Handlers:
    """Answers 110 and 111."""
    return hear_rows(answers, alone=(ConfigResponse, UpdateConfigResponse))
