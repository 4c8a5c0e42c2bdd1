"""The catalogue itself: each code that is known, what it does to whom, and where we have that from.

A row is (number, confidence, source, effects, text as TWS writes it; "…" where it goes on). Confidence: H
official or recorded, M reported, L one report or inferred. Sources: a section of TWS-BEHAVIOUR.md (A6, C3);
DOX and CAMPUS are the official lists of message codes, older and newer; IBG and IBX two public clients that
recorded a Gateway of server version 225; the rest names a public thread or program as there, "reported" one
that was not kept. What the sources contradict each other on, or what may wait for a human at TWS, is a
QUESTION: listed for its text, ending nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from tws.wire.codes_words import Context, Effect

__all__ = ["ROWS", "WARNINGS"]

Row = tuple[int, str, str, Mapping[Context, Effect], str]

_O, _C, _R, _S, _L = Context.ORDER, Context.CHANGE, Context.REQUEST, Context.STREAM, Context.LINK

_EVERYWHERE_NOTICE = dict.fromkeys(Context, Effect.NOTICE)
_LINK = {_L: Effect.LINK}
_FARM = {_L: Effect.NOTICE}
_ASKED = {_R: Effect.ENDS_REQUEST, _S: Effect.ENDS_STREAM}
_REQUEST = {_R: Effect.ENDS_REQUEST}
_ORDER = {_O: Effect.REJECTS_ORDER, _C: Effect.REFUSES_CHANGE}
_CHANGE = {_C: Effect.REFUSES_CHANGE}
_ORDER_NOTICE = {_O: Effect.NOTICE, _C: Effect.NOTICE}
_ORDER_OPEN = {_O: Effect.QUESTION, _C: Effect.QUESTION}
_DATA_NOTICE = {_R: Effect.NOTICE, _S: Effect.NOTICE}
_CANCELLED = {_O: Effect.CANCELS_ORDER, _C: Effect.CANCELS_ORDER}

WARNINGS = range(2100, 2200)
"""TWS's own range of warnings (DOX heads the list so; rust#805, M). One that is not listed here spares
requests, streams and the link; about an order it is a question.
"""

# fmt: off
_LINKS: tuple[Row, ...] = (
    (1100, "H", "A6", _LINK, "Connectivity between IBKR and Trader Workstation has been lost."),
    (1101, "H", "A6", _LINK,
     "Connectivity between IBKR and Trader Workstation has been restored - data lost."),
    (1102, "H", "A6", _LINK,
     "Connectivity between IBKR and Trader Workstation has been restored - data maintained. …"),
    (1300, "H", "A3", _LINK, "TWS socket port has been reset and this connection is being dropped. …"),
    (326, "H", "A3", _LINK,
     "Unable to connect as the client id is already in use. Retry with a unique client id."),
    (2110, "H", "A6", _LINK,
     "Connectivity between TWS and server is broken. It will be restored automatically."),
    (2103, "H", "A6", _FARM, "Market data farm connection is broken:…"),
    (2104, "H", "A6", _FARM, "Market data farm connection is OK:…"),
    (2105, "H", "A6", _FARM, "HMDS data farm connection is broken:…"),
    (2106, "H", "A6", _FARM, "HMDS data farm connection is OK:…"),
    (2107, "H", "A6", _FARM, "HMDS data farm connection is inactive but should be available upon demand.…"),
    (2108, "H", "A6", _FARM, "Market data farm connection is inactive but should be available upon demand.…"),
    (2119, "H", "A6", _FARM, "Market data farm is connecting:…"),
    (2157, "H", "A6", _FARM, "Sec-def data farm connection is broken:…"),
    (2158, "H", "A6", _FARM, "Sec-def data farm connection is OK:…"),
    # our own client about the link
    (501, "H", "A7", {**_ASKED, _L: Effect.NOTICE}, "Already connected."),
    (502, "H", "A7", {**_ASKED, _L: Effect.LINK}, "Couldn't connect to TWS. …"),
    (503, "H", "A7", {**_ASKED, _L: Effect.LINK}, "The TWS is out of date and must be upgraded."),
    (504, "H", "A7", {**_ASKED, _L: Effect.LINK}, "Not connected"),
    (507, "H", "A7", {**_ASKED, _L: Effect.LINK}, "Bad message length"),
    (509, "H", "A7", {**_ASKED, _L: Effect.LINK}, "Exception caught while reading socket"),
)

_REQUESTS: tuple[Row, ...] = (
    (0, "L", "B", _EVERYWHERE_NOTICE, "Warning: Approaching max rate of 50 messages per second (…)"),
    (100, "H", "B", {**_ASKED, _L: Effect.NOTICE}, "Max rate of messages per second has been exceeded:…"),
    (320, "M", "A7", {**_ASKED, **_ORDER}, "Error reading request.…"),
    (321, "M", "A3, A7", {**_ASKED, **_ORDER, _L: Effect.ENDS_REQUEST}, "Error validating request.…"),
    (322, "M", "A7, B", _ASKED, "Error processing request.…"),
    (323, "M", "A7", _ASKED, "Server error when …"),
    (327, "H", "A4", {_R: Effect.ENDS_REQUEST, _L: Effect.ENDS_REQUEST},
     "Only API connections with clientId set to 0 can set the auto bind TWS orders property."),
    (330, "H", "DOX", {_R: Effect.ENDS_REQUEST, _L: Effect.ENDS_REQUEST},
     "Only FA or STL customers can request managed accounts list."),
    (344, "H", "DOX", {_R: Effect.ENDS_REQUEST, _L: Effect.ENDS_REQUEST},
     "The account logged into is not a financial advisor account."),
    (10230, "H", "DOX", {_R: Effect.ENDS_REQUEST, _L: Effect.ENDS_REQUEST},
     "You have unsaved FA changes. Please retry 'request FA' operation later, …"),
    (2100, "H", "D", {_R: Effect.ENDS_REQUEST, _S: Effect.ENDS_STREAM, _L: Effect.NOTICE},
     "API client has been unsubscribed from account data."),
    (2101, "M", "D", {**_ASKED, _L: Effect.NOTICE},
     "Unable to subscribe to account as the following clients are subscribed …"),
    (2139, "L", "ezibpy#40", {**_ORDER_OPEN, _L: Effect.NOTICE},
     "Real paper-trading has not been acknowledged yet."),
    # contracts and permissions: final for whoever asked (INCIDENTS.md 11)
    (200, "H", "A8", {**_ASKED, **_ORDER}, "No security definition has been found for the request"),
    (203, "M", "DOX", {**_ASKED, **_ORDER_OPEN},
     "The security … is not available or allowed for this account."),
    (460, "M", "A8", {**_ASKED, **_ORDER}, "No trading permissions."),
)

_DATA: tuple[Row, ...] = (
    (101, "H", "B", _ASKED, "Max number of tickers has been reached"),
    (102, "H", "A8", _REQUEST, "Duplicate ticker ID."),
    (385, "H", "A8", _REQUEST, "Duplicate ticker ID for API scanner subscription."),
    (386, "H", "A8", _REQUEST, "Duplicate ticker ID for API historical data query."),
    (354, "H", "A8", _ASKED, "Requested market data is not subscribed.Delayed market data is available.…"),
    (414, "H", "DOX", _ASKED, "Snapshot market data subscription is not applicable to generic ticks."),
    (300, "H", "A8", _ASKED, "Can't find EId with tickerId:…"),
    # Delayed data may follow for who asked for it (rust#677), or nothing: the stream's watchdog will see.
    (10089, "M", "A8, rust#677", {_R: Effect.ENDS_REQUEST, _S: Effect.QUESTION},
     "Requested market data requires additional subscription for API.…"),
    (10090, "M", "A8, rust#768", _DATA_NOTICE, "Part of requested market data is not subscribed.…"),
    (10091, "M", "rust#804", _DATA_NOTICE,
     "Part of requested market data requires additional subscription for API.…"),
    (10167, "H", "A8", _DATA_NOTICE,
     "Requested market data is not subscribed. Displaying delayed market data."),
    (10168, "H", "A8", _ASKED,
     "Requested market data is not subscribed. Delayed market data is not enabled."),
    (10186, "M", "A8", _ASKED,
     "Requested market data is not subscribed. Delayed market data is not enabled."),
    (10197, "H", "A3", {_R: Effect.ENDS_REQUEST, _S: Effect.QUESTION},
     "No market data during competing live session"),
    (10346, "M", "CAMPUS", _ASKED,
     "Market data for … cannot be delivered because ticker for the same financial instrument is displayed …"),
    (2176, "M", "rust#805", _DATA_NOTICE,
     "Warning: Your API version does not support fractional share size rules. …"),
    (2187, "M", "rust#805", _DATA_NOTICE,
     "Generic tick data is not available when using delayed market data fallback."),
    (10285, "M", "A8", _ASKED, "Your API version does not support fractional size rules. …"),
    # depth
    (309, "H", "B", _ASKED, "Max number (3) of market depth requests has been reached…"),
    (310, "H", "DOX", _ASKED, "Can't find the subscribed market depth with tickerId:…"),
    (316, "H", "DOX", _ASKED, "Market depth data has been HALTED. Please re-subscribe."),
    (317, "H", "E", _DATA_NOTICE, "Market depth data has been RESET. …"),
    (2152, "M", "CAMPUS", _DATA_NOTICE,
     "Exchanges - Depth: …; Top: …; Need additional market data permissions - …"),
    (10092, "M", "reported", _ASKED,
     "Deep market data is not supported for this combination of security type/exchange"),
    # tick by tick and bars that live
    (420, "H", "A8", _ASKED, "Invalid Real-time Query:…"),
    (10182, "M", "A8", _ASKED, "Failed to request live updates (disconnected)."),
    (10189, "M", "A8", _ASKED, "Failed to request tick-by-tick data.…"),
    (10190, "H", "B", _ASKED, "Max number of tick-by-tick requests has been reached"),
    (10225, "M", "A8", _ASKED, "Bust event occurred, current subscription is deactivated. …"),
    # the past
    (162, "H", "A8", _ASKED, "Historical Market Data Service error message:…"),
    (165, "M", "A8", _DATA_NOTICE, "Historical Market Data Service query message:…"),
    (166, "H", "DOX", _ASKED, "HMDS Expired Contract Violation."),
    (366, "H", "A8", _ASKED, "No historical data query found for ticker id:…"),
    (2188, "M", "rust#765", _DATA_NOTICE,
     "Up-to-the-second historical data requires additional subscription for the API."),
    (10187, "M", "A8", _ASKED, "Failed to request historical ticks:…"),
    (10295, "M", "CAMPUS", _ASKED, "Only daily resolution supported for Schedule requests"),
    (10299, "M", "A8", _DATA_NOTICE, "Expected what to show is …"),
    (10314, "M", "CAMPUS", _ASKED, "…: The date, time, or time-zone entered is invalid. …"),
    (10339, "M", "CAMPUS", _ASKED,
     "Setting end date/time for continuous future security type is not allowed"),
    (10337, "M", "CAMPUS", _ASKED, "Misc options key=… is invalid in … request. Valid keys are: …"),
    (10338, "M", "CAMPUS", _ASKED, "Misc options value=… is invalid for key=… in … request. …"),
    # scanner, fundamentals, news
    (365, "H", "DOX", _ASKED, "No scanner subscription found for ticker id:…"),
    (492, "M", "A8, INS#196", _DATA_NOTICE,  # the rows come all the same
     "You must subscribe for additional permissions to obtain precise results for scanner.…"),
    (430, "M", "A8", _ASKED, "The fundamentals data for the security specified is not available.…"),
    (10358, "M", "reported", _ASKED, "Fundamentals data is not allowed"),
    (10172, "M", "reported", _REQUEST, "Failed to request news article:…"),
    (10276, "H", "DOX", _ASKED, "News feed is not allowed"),
    (10277, "H", "DOX", _ASKED, "News feed permissions required"),
    (10278, "H", "DOX", _REQUEST, "Duplicate WSH metadata request"),
    (10279, "H", "DOX", _REQUEST, "Failed request WSH metadata"),
    (10280, "H", "DOX", _REQUEST, "Failed cancel WSH metadata"),
    (10281, "H", "DOX", _REQUEST, "Duplicate WSH event data request"),
    (10282, "H", "DOX", _REQUEST, "WSH metadata not requested"),
    (10283, "H", "DOX", _REQUEST, "Fail request WSH event data"),
    (10284, "H", "DOX", _REQUEST, "Fail cancel WSH event data"),
    (10309, "M", "CAMPUS", _REQUEST, "Invalid WSH event data request."),
)

_ORDERS: tuple[Row, ...] = (
    (201, "H", "C2", {_O: Effect.REJECTS_ORDER}, "Order rejected - reason:…"),
    (202, "H", "C2", _CANCELLED, "Order Canceled - reason:…"),
    # The order lives.
    (399, "H", "C2", _ORDER_NOTICE, "Order Message:\n…"),
    (404, "H", "C3", _ORDER_NOTICE,
     "Shares for this order are not immediately available for short sale. …"),
    (481, "M", "CAMPUS", _ORDER_NOTICE, "Order size reduced."),
    (2109, "H", "C3", _ORDER_NOTICE,
     'Order Event Warning: Attribute "Outside Regular Trading Hours" is ignored …'),
    (2111, "H", "CAMPUS", _ORDER_NOTICE,
     "The Start and/or End Time for algo order … was adjusted to use the next trading date. …"),
    (2130, "M", "CAMPUS", _ORDER_NOTICE,
     "Warning: products are trading on the basis of currency price with factor."),
    (10233, "H", "DOX", _ORDER_NOTICE,
     "Defaults were inherited from CASH preset during the creation of this order."),
    (10349, "H", "A8", _ORDER_NOTICE, "Order TIF was set to DAY based on order preset."),
    # A change or a cancel fails, the order is as it was.
    (104, "H", "C3", _CHANGE, "Can't modify a filled order."),
    (105, "H", "C3", _CHANGE, "Order being modified does not match original order."),
    (135, "H", "C3", _CHANGE, "Can't find order with id =…"),
    (136, "H", "C3", _CHANGE, "This order cannot be cancelled."),
    (161, "H", "C3", _CHANGE, "Cancel attempted when order is not in a cancellable state. Order permId =…"),
    (329, "H", "DOX", _CHANGE, "Order modify failed. Cannot change to the new order type."),
    (422, "H", "DOX", _CHANGE, "The account and clearing attributes on this order may not be changed."),
    (440, "H", "DOX", _CHANGE, "Order modify failed. Algorithm cannot be modified."),
    (2102, "H", "C3", _CHANGE, "Unable to modify this order as it is still being processed."),
    (10147, "H", "C3", _CHANGE, "OrderId … that needs to be cancelled is not found."),
    (10148, "H", "C3", _CHANGE, "OrderId … that needs to be cancelled cannot be cancelled, state: …"),
    (10241, "H", "DOX", _CHANGE,
     "Order Quantity is expressed in monetary terms. Modification is not supported via API. …"),
    (10242, "H", "DOX", _CHANGE, "Fractional-sized order cannot be modified via API. …"),
    (10326, "M", "CAMPUS", _CHANGE, "OCA group revision is not allowed"),
    (10327, "M", "CAMPUS", _CHANGE, "OCA group type revision is not allowed"),
    (10341, "M", "CAMPUS", _CHANGE, "Parent order id cannot be modified"),
    # A new order is refused; a live one stays as it was.
    (103, "H", "C3", _ORDER, "Duplicate order id"),
    (110, "H", "C2", _ORDER, "The price does not conform to the minimum price variation for this contract."),
    (111, "M", "DOX, LEAN", _ORDER, "The TIF (Tif type) and the order type are incompatible."),
    (113, "M", "DOX, LEAN", _ORDER, "The Tif option should be set to DAY for MOC and LOC orders."),
    (116, "M", "DOX, LEAN", _ORDER, "The order cannot be transmitted to a dead exchange."),
    (145, "H", "DOX, IBX", _ORDER, "Error in validating entry fields -…"),
    (387, "M", "DOX, LEAN", _ORDER, "Unsupported order type for this exchange and security type."),
    (388, "M", "DOX, LEAN", _ORDER, "Order size is smaller than the minimum requirement."),
    (392, "M", "DOX, LEAN", _ORDER, "Invalid order: contract expired."),
    (403, "M", "DOX, LEAN", _ORDER, "Invalid stop price."),
    (411, "M", "DOX, LEAN", _ORDER, 'The "Outside Regular Trading Hours" flag is not valid for this order.'),
    (412, "M", "DOX, INS#389", _ORDER, "The contract is not available for trading."),
    (413, "M", "C2", _ORDER, "What-if order should be sent with transmit flag set to true."),
    (439, "H", "DOX, IBG", _ORDER, "Order processing failed. Algorithm definition not found"),
    (441, "H", "DOX, IBX", _ORDER, "Algo attributes validation failed:…"),
    (443, "H", "DOX, IBG", _ORDER, "Order processing failed. Unknown algo attribute:…"),
    (435, "M", "DOX, LEAN", {**_REQUEST, **_ORDER}, "You must specify an account."),
    (10006, "H", "C3", _ORDER, "Missing parent order."),
    (10063, "H", "IBG", _ORDER, "Invalid FX hedge order. …"),
    # what special orders lack
    (117, "M", "DOX, LEAN", _ORDER, "The block order size must be at least 50."),
    (157, "M", "DOX, LEAN", _ORDER, "An order can be EITHER Iceberg or Discretionary. …"),
    (159, "M", "DOX, LEAN", _ORDER, "The percent offset value must be between 0% and 100%."),
    (168, "M", "DOX, LEAN", _ORDER,
     "Discretionary amount does not conform to the minimum price variation for this contract."),
    (313, "M", "DOX, LEAN", _ORDER, "The combo details for leg '…' are invalid."),
    (325, "M", "DOX, LEAN", _ORDER,
     "Discretionary orders are not supported for this combination of exchange and order type."),
    (408, "M", "DOX, LEAN", _ORDER, "Invalid scale order increment."),
    (410, "M", "DOX, LEAN", _ORDER, "Invalid subsequent component size for scale order."),
    (417, "M", "DOX, LEAN", _ORDER, "Invalid initial component size for scale order."),
    (418, "M", "DOX, LEAN", _ORDER, "Invalid scale order profit offset."),
    (419, "M", "DOX, LEAN", _ORDER, "Missing initial component size for scale order."),
    (442, "M", "DOX, LEAN", _ORDER, "Specified algorithm is not allowed for this order."),
    (446, "M", "DOX, LEAN", _ORDER, "Missing scale order profit offset."),
    (447, "M", "DOX, LEAN", _ORDER, "Missing scale price adjustment amount or interval."),
    (448, "M", "DOX, LEAN", _ORDER, "Invalid scale price adjustment interval."),
    (10002, "M", "DOX, LEAN", _ORDER, "Invalid non-guaranteed legs."),
    (10007, "M", "DOX, LEAN", _ORDER, "Invalid hedge type."),
    (10008, "M", "DOX, LEAN", _ORDER, "Invalid beta value."),
    (10009, "M", "DOX, LEAN", _ORDER, "Invalid hedge ratio."),
    (10010, "M", "DOX, LEAN", _ORDER, "Invalid delta hedge order."),
    (10020, "M", "DOX, LEAN", _ORDER, "Display size should be smaller than order size."),
    (10043, "M", "ezibpy#35", _ORDER, "Missing or invalid NonGuaranteed value. …"),
    (10058, "M", "LEAN#213", _ORDER,
     "Combo per-leg prices are only supported for non-guaranteed smart combos with two legs and …"),
    (10149, "M", "STQ#203", _ORDER, "Invalid order id: …"),
    (10243, "H", "DOX", _ORDER, "Fractional-sized order cannot be placed via API. …"),
    (10250, "H", "DOX", _ORDER, "The size does not conform to the minimum variation of … for this contract"),
    (10255, "H", "IBG", _ORDER,
     "The 'Display Size' order attribute may not be specified for this order."),
    (10268, "H", "A8", _ORDER, "The 'EtradeOnly' order attribute is not supported."),
    (10269, "H", "A8", _ORDER, "The 'FirmQuoteOnly' order attribute is not supported."),
    (10270, "H", "A8", _ORDER, "The 'NbboPriceCap' order attribute is not supported."),
    (10289, "M", "INS#407", _ORDER, "You must set Cash Quantity for this order"),
    (10293, "M", "ASY#111", _ORDER, "Cryptocurrency Cash Quantity order cannot specify size"),
    (10318, "M", "CAMPUS", _ORDER, "This order doesn't support fractional quantity trading"),
    (10319, "M", "CAMPUS", _ORDER, "Placing orders for Municipal Bonds via API is currently disabled"),
    (10340, "M", "CAMPUS", _ORDER, "The following order attribute is not supported: …"),
    # Known words, open outcome: TWS's precautions refuse the order, or hold it for a human who may send it
    # yet (H).
    (109, "M", "DOX", _ORDER_OPEN,
     "Price is out of the range defined by the Percentage setting at order defaults frame. …"),
    (163, "M", "DOX", _ORDER_OPEN,
     "The price specified would violate the percentage constraint specified in the default order settings."),
    (382, "M", "DOX", _ORDER_OPEN,
     "The price specified violates the number of ticks constraint specified in the default order settings."),
    (383, "M", "DOX", _ORDER_OPEN,
     "The size specified violates the size constraint specified in the default order settings."),
    (451, "M", "IBC#227", _ORDER_OPEN,
     "The following order … value estimate of … exceeds the Total Value Limit of … "
     "Restriction is specified in Precautionary Settings of Global Configuration/Presets."),
    (2137, "H", "DOX", _ORDER_OPEN, "Cross Side Warning"),
    (10311, "M", "IBC#222", _ORDER_OPEN,
     "This order will be directly routed to …. Direct routed orders may result in higher trade fees. "
     "Restriction is specified in Precautionary Settings of Global Configuration/API."),
    (10329, "M", "CAMPUS", _ORDER_OPEN, "This order will be directly routed to ….…"),
    (10335, "M", "CAMPUS", _ORDER_OPEN, "Order presets cannot be applied as configured. …"),
    (10347, "M", "CAMPUS", _ORDER_OPEN, "This security has limited liquidity. …"),
    # Known words that say themselves that they settle nothing, or that clients read in opposite ways.
    (106, "M", "DOX", _ORDER_OPEN, "Can't transmit order ID:…"),
    (107, "M", "DOX", _ORDER_OPEN, "Cannot transmit incomplete order."),
    (133, "M", "DOX", _ORDER_OPEN, "Submit new order failed."),
    (134, "M", "DOX", _ORDER_OPEN, "Modify order failed."),
    (434, "M", "DOX", _ORDER_OPEN, "The order size cannot be zero."),
    (2168, "H", "DOX", _ORDER_OPEN, "Etrade Only Not Supported Warning"),
    (2169, "H", "DOX", _ORDER_OPEN, "Firm Quote Only Not Supported Warning"),
    (10015, "M", "DOX", _ORDER_OPEN, "Trading is not allowed in the API."),
    (10328, "M", "CAMPUS", _ORDER_OPEN, "Connection lost, order data could not be resolved"),
)
# fmt: on

ROWS: tuple[Row, ...] = (*_LINKS, *_REQUESTS, *_DATA, *_ORDERS)
"""All of it, by what a code is mostly about."""
