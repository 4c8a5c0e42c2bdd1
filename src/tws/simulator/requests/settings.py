"""TWS's own settings: told (108, from server version 219) and changed (109, from 221).

What the simulated TWS acts on is changed in its options, for all sessions from then on: read-only, who hears
of all orders, who may connect, open orders at the start, the reaction to too many messages (of sessions that
begin later), exercise requests. All else is kept and told as it was set. A change is whole or it is not
made: a value that can't be is an error, and what opens a door (`WARNED`) has to be accepted by its number
first, as the dialogs of TWS's screen are (official that such warnings are; which, and their numbers,
assumed). In read-only mode both requests are refused as a write is (`tws.simulator.admission`; H). The
answer to 108 is recorded in part: one printed in IB's documentation; the words Success and Failed of 111 are
printed there too, the rest of them assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import asdict, replace

from tws.simulator.session import Session
from tws.wire.messages import (
    ConfigRequest,
    ConfigResponse,
    UpdateConfigRequest,
    UpdateConfigResponse,
    WireApiConfig,
    WireApiPrecautions,
    WireApiSettings,
    WireConfigWarning,
    WireLockAndExit,
    WireMessageSetting,
    WireOrdersConfig,
    WireSmartRoutingSettings,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Settings"]

PRECAUTIONS, PAGE, LOCK, ROUTING = "api.precautions.", "api.settings.", "lockAndExit.", "orders.smartRouting."
RESET = "resetAPIOrderSequence"
WARNED: dict[tuple[str, object], tuple[int, str]] = {
    (PRECAUTIONS + "bypassOrderPrecautions", True): (901, "Orders of the API will pass without precautions."),
    (PAGE + "allowLocalhostOnly", False): (902, "Other machines will be able to connect."),
    (PAGE + "readOnlyApi", True): (903, "Programs will not be able to change this back."),
    (RESET, True): (904, "Order ids will begin anew for all clients."),
}
"""By field and new value: the number to accept, and what is said."""


class Change(NamedTuple):
    """One field that a request states."""

    path: str
    value: Any
    old: Any


class Pages(Struct, frozen=True, kw_only=True):
    """Every setting as it stands."""

    lock: WireLockAndExit
    messages: tuple[WireMessageSetting, ...]
    precautions: WireApiPrecautions
    page: WireApiSettings
    routing: WireSmartRoutingSettings = WireSmartRoutingSettings(default_algorithm="SMART")


class Settings:
    """Answers at once."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._pages = _from_options(core)

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {ConfigRequest: self._tell, UpdateConfigRequest: self._change}

    def _tell(self, session: Session, request: ConfigRequest) -> None:
        pages = self._pages
        answer = ConfigResponse(
            req_id=request.req_id,
            lock_and_exit=pages.lock,
            messages=pages.messages,
            api=WireApiConfig(precautions=pages.precautions, settings=pages.page),
            orders=WireOrdersConfig(smart_routing=pages.routing),
        )
        session.send(answer)

    # -- changing ----------------------------------------------------------------------------------

    def _change(self, session: Session, request: UpdateConfigRequest) -> None:
        changes = [change for change in self._stated(request) if change.value != change.old]
        errors = tuple(filter(None, (self._fault(change) for change in changes)))
        errors += tuple(self._unknown_messages(request))
        if errors:
            self._answer(session, request, "Failed", "Nothing was changed.", errors=errors)
            return
        accepted = {warning.message_id for warning in request.accepted_warnings}
        warned = (WARNED.get((change.path, change.value)) for change in changes)
        warnings = tuple(
            WireConfigWarning(message_id=number, title="Confirm", message=text)
            for number, text in filter(None, warned)
            if number not in accepted
        )
        if warnings:
            self._answer(session, request, "Warning", "Nothing was changed yet.", warnings=warnings)
            return
        self._apply(request)
        paths = tuple(change.path for change in changes)
        self._answer(session, request, "Success", f"{len(paths)} changed.", changed_fields=paths)

    def _answer(
        self, session: Session, request: UpdateConfigRequest, status: str, text: str, **rest: Any
    ) -> None:
        session.send(UpdateConfigResponse(req_id=request.req_id, status=status, message=text, **rest))

    def _stated(self, request: UpdateConfigRequest) -> Iterator[Change]:
        api, orders, pages = request.api or WireApiConfig(), request.orders or WireOrdersConfig(), self._pages
        rows: tuple[tuple[str, Struct | None, Struct], ...] = (
            (LOCK, request.lock_and_exit, pages.lock),
            (PRECAUTIONS, api.precautions, pages.precautions),
            (PAGE, api.settings, pages.page),
            (ROUTING, orders.smart_routing, pages.routing),
        )
        for prefix, wanted, standing in rows:
            for name, value in _said(wanted).items():
                yield Change(prefix + _camel(name), value, getattr(standing, name))
        known = {one.id: one for one in pages.messages}
        for message in request.messages:
            if message.id in known and message.enabled is not None:
                yield Change(f"messages.{message.id}.enabled", message.enabled, known[message.id].enabled)
        if request.reset_api_order_sequence:
            yield Change(RESET, True, False)

    def _unknown_messages(self, request: UpdateConfigRequest) -> Iterator[str]:
        known = {one.id for one in self._pages.messages}
        for message in request.messages:
            if message.id not in known:
                yield f"messages.{message.id}: there is no such message"

    def _fault(self, change: Change) -> str:
        """Why this can't be; "" when it can."""
        path, value = change.path, change.value
        if path == PAGE + "socketPort":
            return f"{path}: the simulated TWS stays on its port"
        if path == PAGE + "optionExerciseRequestType" and value not in ("final", "editable"):
            return f"{path}: {value!r} is neither final nor editable"
        if path == PAGE + "masterClientId" and value < 0:
            return f"{path}: {value} is no client id"
        if path == LOCK + "autoLogoffPeriod" and value not in ("AM", "PM"):
            return f"{path}: {value!r} is neither AM nor PM"
        if path == RESET and self._core.exchange.open_orders():
            return f"{path}: there are active API orders"
        return ""

    def _apply(self, request: UpdateConfigRequest) -> None:
        api, orders, pages = request.api or WireApiConfig(), request.orders or WireOrdersConfig(), self._pages
        wished = {one.id: one.enabled for one in request.messages if one.enabled is not None}
        self._pages = Pages(
            lock=_merged(pages.lock, request.lock_and_exit),
            messages=tuple(
                replace(one, enabled=wished.get(one.id, one.enabled)) for one in pages.messages
            ),
            precautions=_merged(pages.precautions, api.precautions),
            page=_merged(pages.page, api.settings),
            routing=_merged(pages.routing, orders.smart_routing),
        )
        if request.reset_api_order_sequence:
            for client_id in self._core.exchange.order_ids():
                self._core.exchange.set_next_order_id(client_id, 1)
        self._act()

    def tick(self, **fields: object) -> None:
        """A human changes boxes of the page of API settings; nobody is told."""
        self._pages = replace(self._pages, page=replace(self._pages.page, **fields))
        self._act()

    def _act(self) -> None:
        """What is acted on, as it stands now."""
        core, page = self._core, self._pages.page
        told = replace(core.options.settings, exercise=page.option_exercise_request_type)
        limits = replace(core.options.limits, reject=bool(page.reject_messages_above_max_rate))
        core.change_options(
            settings=told,
            limits=limits,
            read_only=bool(page.read_only_api),
            send_open_orders=bool(page.download_open_orders_on_connection),
            master_client_id=page.master_client_id,
            localhost_only=bool(page.allow_localhost_only),
            trusted=page.trusted_ips or core.options.trusted,
        )


def _from_options(core: Core) -> Pages:
    options, told = core.options, core.options.settings
    time, _, period = told.logoff_time.partition(" ")
    return Pages(
        lock=WireLockAndExit(
            auto_logoff_time=time,
            auto_logoff_period=period,
            auto_logoff_type="restart" if told.auto_restart else "logoff",
        ),
        messages=tuple(
            WireMessageSetting(id=place, title=title, default_action="Hidden", enabled=True)
            for place, title in enumerate(told.dialogs, start=1)
        ),
        precautions=WireApiPrecautions(bypass_order_precautions=told.bypass_precautions),
        page=WireApiSettings(
            read_only_api=options.read_only,
            download_open_orders_on_connection=options.send_open_orders,
            socket_port=options.port or None,
            master_client_id=options.master_client_id,
            send_market_data_in_lots_for_us_stocks=told.sizes_in_lots,
            reject_messages_above_max_rate=options.limits.reject,
            maintain_and_resubmit_orders_on_reconnect=told.keeps_orders,
            option_exercise_request_type=told.exercise,
            allow_localhost_only=options.localhost_only,
            trusted_ips=options.trusted or (),
        ),
    )


def _said(wanted: Struct | None) -> dict[str, Any]:
    """What a page of a request states."""
    if wanted is None:
        return {}
    return {name: value for name, value in asdict(wanted).items() if value not in (None, "", ())}


def _merged(standing: Any, wanted: Struct | None) -> Any:
    return replace(standing, **_said(wanted))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
