"""TWS's own settings, as it tells them to a program from server version 219 on (TWS-BEHAVIOUR.md F2, H).

There is no text form. All inner values are optional: what TWS does not state, and what a program does not
want changed, is None or empty. Writing them (109, from 221) changes what guards the account, so it counts as
a call that moves money.
"""

from __future__ import annotations

from msgspec import Struct

from tws.wire.messages.base import Answer, Request

__all__ = [
    "ConfigRequest",
    "ConfigResponse",
    "UpdateConfigRequest",
    "UpdateConfigResponse",
    "WireApiConfig",
    "WireApiPrecautions",
    "WireApiSettings",
    "WireConfigWarning",
    "WireLockAndExit",
    "WireMessageSetting",
    "WireOrdersConfig",
    "WireSmartRoutingSettings",
]


class ConfigRequest(Request, frozen=True):
    """Request 108, from server version 219. It changes nothing."""

    req_id: int


class WireLockAndExit(Struct, frozen=True, kw_only=True):
    """When TWS logs off or restarts: the time of day, AM or PM, and `restart` or another word (recorded)."""

    auto_logoff_time: str = ""
    auto_logoff_period: str = ""
    auto_logoff_type: str = ""


class WireMessageSetting(Struct, frozen=True, kw_only=True):
    """One message that TWS would show on its screen, and whether it does."""

    id: int | None = None
    title: str = ""
    message: str = ""
    default_action: str = ""
    enabled: bool | None = None


class WireApiPrecautions(Struct, frozen=True, kw_only=True):
    """Which precautions orders of the API pass without a dialog."""

    bypass_order_precautions: bool | None = None
    bypass_bond_warning: bool | None = None
    bypass_negative_yield_confirmation: bool | None = None
    bypass_called_bond_warning: bool | None = None
    bypass_same_action_pair_trade_warning: bool | None = None
    bypass_flagged_accounts_warning: bool | None = None
    bypass_price_based_volatility_warning: bool | None = None
    bypass_redirect_order_warning: bool | None = None
    bypass_no_overfill_protection: bool | None = None
    bypass_route_marketable_to_bbo: bool | None = None


class WireApiSettings(Struct, frozen=True, kw_only=True):
    """The page of API settings."""

    read_only_api: bool | None = None
    total_quantity_for_mutual_funds: bool | None = None
    download_open_orders_on_connection: bool | None = None
    include_virtual_fx_positions: bool | None = None
    prepare_daily_pnl: bool | None = None
    send_status_updates_for_volatility_orders: bool | None = None
    encode_api_messages: str = ""
    socket_port: int | None = None
    use_negative_auto_range: bool | None = None
    create_api_message_log_file: bool | None = None
    include_market_data_in_log_file: bool | None = None
    expose_trading_schedule_to_api: bool | None = None
    split_insured_deposit_from_cash_balance: bool | None = None
    send_zero_positions_for_today_only: bool | None = None
    let_api_account_requests_switch_subscription: bool | None = None
    use_account_groups_with_allocation_methods: bool | None = None
    logging_level: str = ""
    master_client_id: int | None = None
    bulk_data_timeout: int | None = None
    component_exch_separator: str = ""
    show_forex_data_in1_10_pips: bool | None = None
    allow_forex_trading_in1_10_pips: bool | None = None
    round_account_values_to_nearest_whole_number: bool | None = None
    send_market_data_in_lots_for_us_stocks: bool | None = None
    show_advanced_order_reject_in_ui: bool | None = None
    reject_messages_above_max_rate: bool | None = None
    maintain_connection_on_incorrect_fields: bool | None = None
    compatibility_mode_nasdaq_stocks: bool | None = None
    send_instrument_timezone: str = ""
    send_forex_data_in_compatibility_mode: bool | None = None
    maintain_and_resubmit_orders_on_reconnect: bool | None = None
    historical_data_max_size: int | None = None
    auto_report_netting_event_contract_trades: bool | None = None
    option_exercise_request_type: str = ""
    allow_localhost_only: bool | None = None
    trusted_ips: tuple[str, ...] = ()


class WireSmartRoutingSettings(Struct, frozen=True, kw_only=True):
    """How SMART orders are routed unless they say otherwise."""

    seek_price_improvement: bool | None = None
    pre_open_reroute: bool | None = None
    do_not_route_to_dark_pools: bool | None = None
    default_algorithm: str = ""


class WireApiConfig(Struct, frozen=True, kw_only=True):
    """The pages of the API: precautions and settings."""

    precautions: WireApiPrecautions | None = None
    settings: WireApiSettings | None = None


class WireOrdersConfig(Struct, frozen=True, kw_only=True):
    """The pages of orders."""

    smart_routing: WireSmartRoutingSettings | None = None


class ConfigResponse(Answer, frozen=True, kw_only=True):
    """Answer 110: what TWS is set to."""

    req_id: int
    lock_and_exit: WireLockAndExit | None = None
    messages: tuple[WireMessageSetting, ...] = ()
    api: WireApiConfig | None = None
    orders: WireOrdersConfig | None = None


class WireConfigWarning(Struct, frozen=True, kw_only=True):
    """What TWS warns of before it changes a setting; sent back it is accepted (official)."""

    message_id: int | None = None
    title: str = ""
    message: str = ""


class UpdateConfigRequest(Request, frozen=True, kw_only=True):
    """Request 109, from server version 221: change what is stated, leave the rest.

    `reset_api_order_sequence` sets the order ids of all clients back.
    """

    req_id: int
    lock_and_exit: WireLockAndExit | None = None
    messages: tuple[WireMessageSetting, ...] = ()
    api: WireApiConfig | None = None
    orders: WireOrdersConfig | None = None
    accepted_warnings: tuple[WireConfigWarning, ...] = ()
    reset_api_order_sequence: bool | None = None


class UpdateConfigResponse(Answer, frozen=True, kw_only=True):
    """Answer 111: what became of it. The words of `status` are not published."""

    req_id: int
    status: str = ""
    message: str = ""
    changed_fields: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[WireConfigWarning, ...] = ()
