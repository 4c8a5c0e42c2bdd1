"""Causes that an open session shows: its answers, its link to IB, its clock, its data, its settings."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from msgspec.structs import replace
from tests.doctor.cases import case
from tests.doctor.cases_dial import half_close
from tests.doctor.scene import by_hand, config, listener, simulated

from tws.monitor.doctor import Report
from tws.monitor.doctor.examine import Tools, diagnose
from tws.simulator import ToldSettings

ASKS_TIME = "request:CurrentTimeRequest"


async def faulty(
    fault: str, *, on: str = "", symbols: tuple[str, ...] = (), bound_s: float = 60.0, **fields: object
) -> Report:
    """A simulated TWS with this fault, from the start or when a request comes; `bound_s` is for a question
    that gets no answer.
    """
    when = {"on": on} if on else {}
    async with simulated() as (simulator, port):
        simulator.faults.play(fault, **fields, **when)
        return await diagnose(config(port, request_timeout=bound_s), symbols=symbols)


async def with_options(
    symbols: tuple[str, ...] = (), tools: Tools | None = None, **options: object
) -> Report:
    async with simulated(**options) as (_, port):
        return await diagnose(config(port), tools, symbols)


# -- its answers


@case("no_answer")
async def it_is_mute(tmp: Path) -> Report:
    return await faulty("mute", on=ASKS_TIME, bound_s=2.0)


@case("no_answer")
async def the_link_goes(tmp: Path) -> Report:
    return await faulty("cut", on=ASKS_TIME)


@case("question_refused")
async def it_refuses_to_tell_the_time(tmp: Path) -> Report:
    text = "Error processing request"
    return await faulty("answer-error", request="CurrentTimeRequest", code=322, text=text, bound_s=2.0)


@case("answers_slow")
async def it_takes_long(tmp: Path) -> Report:
    slow = patch("tws.monitor.doctor.questions._SLOW_MS", 50)
    async with listener(by_hand(time_after_s=0.1)) as port:
        with slow:
            return await diagnose(config(port, client_id=0))


@case("read_only")
async def the_api_is_read_only(tmp: Path) -> Report:
    return await with_options(read_only=True)


@case("no_accounts")
async def it_names_no_account(tmp: Path) -> Report:
    return await faulty("wrong-account", accounts="")


@case("account_mismatch")
async def an_account_of_another_login(tmp: Path) -> Report:
    async with simulated() as (_, port):
        return await diagnose(config(port, account_id="DU9999999"))


@case("mode_mismatch")
async def a_live_login(tmp: Path) -> Report:
    return await faulty("wrong-account", accounts="U7654321")


# -- what it says unasked


@case("port_changed")
async def its_port_is_changed(tmp: Path) -> Report:
    report = await faulty("port-changed", on=ASKS_TIME, bound_s=2.0)
    assert "--port " in report.findings[0].cure and "another" not in report.findings[0].cure
    return report


@case("paced_out")
async def too_many_messages(tmp: Path) -> Report:
    return await faulty("pacing-disconnect", on=ASKS_TIME)


@case("broker_lost")
async def connectivity_is_lost(tmp: Path) -> Report:
    return await faulty("connectivity-lost", lasts="", bound_s=1.0)


@case("broker_lost")
async def its_server_is_gone(tmp: Path) -> Report:
    return await faulty("notice", on=ASKS_TIME)


@case("farm_broken")
async def a_data_farm_is_broken(tmp: Path) -> Report:
    return await faulty("farm-flap", kind="market", lasts="1h", bound_s=1.0)


@case("farm_broken")
async def the_farm_of_history_is_broken(tmp: Path) -> Report:
    return await faulty("farm-flap", kind="hmds", lasts="1h", bound_s=1.0)


@case("farm_broken")
async def the_farm_of_definitions_is_broken(tmp: Path) -> Report:
    return await faulty("farm-flap", kind="secdef", lasts="1h", bound_s=1.0)


@case("texts_foreign")
async def it_speaks_german(tmp: Path) -> Report:
    text = "Verbindung zur Marktdatenfarm ist in Ordnung für:usfarm"
    return await faulty("notice", on=ASKS_TIME, code=2104, text=text)


@case("half_closed")
async def it_holds_dead_sockets(tmp: Path) -> Report:
    over, came = asyncio.Event(), 0

    async def lingering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came += 1
        await (over.wait() if came == 1 else by_hand()(reader, writer))

    async with listener(lingering) as port:
        await half_close(port)
        report = await diagnose(config(port, client_id=0))
        over.set()
        return report


# -- clock, zone, version, calendar


@case("clock_skew")
async def its_clock_is_wrong(tmp: Path) -> Report:
    return await faulty("clock-skew", by="90s")


@case("zone_unknown")
async def its_zone_has_no_name(tmp: Path) -> Report:
    return await with_options(zone="Asia/Kathmandu")


@case("zone_differs")
async def its_zone_is_another_one(tmp: Path) -> Report:
    report = await with_options(zone="Asia/Tokyo", tools=Tools(own_offset_s=lambda now_ns: 0))
    (warning,) = [one for one in report.warnings if one.key == "zone_differs"]
    assert "JST (UTC+09:00)" in warning.cause
    return report


@case("tws_old")
async def a_tws_of_2021(tmp: Path) -> Report:
    return await with_options(server_version=157)


@case("pause_near")
async def it_restarts_in_ten_minutes(tmp: Path) -> Report:
    soon = datetime.now(UTC) + timedelta(minutes=10)
    settings = ToldSettings(logoff_time=f"{soon:%I:%M %p}")
    return await with_options(zone="UTC", settings=settings)


# -- market data


@case("data_not_subscribed")
async def live_data_are_not_subscribed(tmp: Path) -> Report:
    report = await with_options(("SPY",), unsubscribed=("SPY",))
    assert "delayed data come instead" in report.findings[0].cause
    assert (report.data[0].kind, report.data[0].code) == ("delayed", 354)
    return report


@case("data_not_subscribed")
async def no_data_at_all(tmp: Path) -> Report:
    report = await with_options(("SPY",), unsubscribed=("SPY",), delayed_data=False)
    assert "no delayed data either" in report.findings[0].cause
    assert (report.data[0].kind, report.data[0].code) == ("none", 354)
    return report


@case("data_not_for_api")
async def the_subscription_is_not_for_the_api(tmp: Path) -> Report:
    return await with_options(("SPY",), unsubscribed=("SPY=10089",))


@case("data_partly")
async def a_part_is_not_subscribed(tmp: Path) -> Report:
    return await with_options(("SPY",), unsubscribed=("SPY=10090",))


@case("competing_session")
async def the_user_is_logged_in_elsewhere(tmp: Path) -> Report:
    return await faulty("competing-session", lasts="1h", symbols=("SPY",))


@case("data_lines_used")
async def all_lines_are_taken(tmp: Path) -> Report:
    text = "Max number of tickers has been reached"
    return await faulty("answer-error", request="MarketDataRequest", code=101, text=text, symbols=("SPY",))


@case("symbol_unknown")
async def a_symbol_that_nobody_knows(tmp: Path) -> Report:
    return await with_options(("NOSUCH",))


@case("data_silent")
async def a_dialog_keeps_the_data_back(tmp: Path) -> Report:
    return await faulty("size-dialog", symbols=("SPY",), bound_s=2.0)


@case("data_refused")
async def a_code_that_nobody_knows(tmp: Path) -> Report:
    text = "Not today"
    return await faulty("answer-error", request="MarketDataRequest", code=10999, text=text, symbols=("SPY",))


async def no_bars(reason: str) -> Report:
    text, request = f"Historical Market Data Service error message:{reason}", "HistoricalDataRequest"
    return await faulty("answer-error", request=request, code=162, text=text, symbols=("SPY",))


@case("other_address")
async def another_session_trades_from_elsewhere(tmp: Path) -> Report:
    return await no_bars("Trading TWS session is connected from a different IP address")


@case("history_not_permitted")
async def history_is_not_permitted(tmp: Path) -> Report:
    return await no_bars("No market data permissions for ARCA STK")


@case("history_paced")
async def history_was_asked_too_often(tmp: Path) -> Report:
    return await no_bars("Historical data request pacing violation")


# -- its settings


async def set_to(**changes: object) -> Report:
    """Otherwise as a program wants it."""
    told = replace(ToldSettings(bypass_precautions=True), **changes)
    return await with_options(settings=told)


@case("precautions_on")
async def precautions_hold_for_the_api(tmp: Path) -> Report:
    return await set_to(bypass_precautions=False)


@case("logs_off_daily")
async def it_logs_off_in_the_night(tmp: Path) -> Report:
    return await set_to(auto_restart=False)


@case("sizes_in_lots")
async def sizes_come_in_lots(tmp: Path) -> Report:
    return await set_to(sizes_in_lots=True)


@case("orders_not_kept")
async def orders_are_not_resubmitted(tmp: Path) -> Report:
    return await set_to(keeps_orders=False)


@case("open_orders_not_sent")
async def open_orders_are_not_sent(tmp: Path) -> Report:
    return await with_options(send_open_orders=False)


@case("size_dialog")
async def the_dialog_about_sizes_would_come(tmp: Path) -> Report:
    return await set_to(dialogs=("Bid, Ask and Last Size Display Update",))
