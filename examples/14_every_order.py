"""Any order that TWS takes, without a desk: conditions, an algorithm, an iceberg, an adjusted stop.

    tws sim                             in one terminal
    python examples/14_every_order.py   in another

Orders are built and checked here, judged by the small guard of the connection, and heard again as they were.
"""

from tws import SyncConnection, TWSConfig, stock
from tws import ordertypes as ot

with SyncConnection(TWSConfig(port=7400, client_id=14)) as connection:
    spy = connection.request_contract(stock("SPY")).contract
    quote = connection.request_quote(spy)
    low, high = round(quote.bid * 0.95, 2), round(quote.ask * 1.05, 2)

    # Worked patiently by IB's algorithm, once the price is low enough or the year is over.
    patient = ot.adaptive(ot.limit("BUY", 100, low), "Patient")
    wanted = ot.conditional(patient, ot.price_below(spy, low) | ot.time_after("20261231 15:59:00 US/Eastern"))
    # Ten shares of it show. A stop that becomes one that trails when the market has risen.
    hidden = ot.iceberg(ot.limit("BUY", 100, low, tif="GTC"), 10)
    guard = ot.adjust_to_trail(ot.stop("SELL", 100, low), trigger_price=high, stop_price=quote.bid, amount=2)
    for order in (wanted, hidden, guard):
        connection.place_order(spy, order)

    for row in connection.request_open_orders():
        said = row.attributes
        print(row.side, row.quantity, row.order_type, row.status)
        if said.conditions:
            print("  algorithm", said.algo.strategy, dict(said.algo.params), "when", *said.conditions.joins)
        if said.display_size:
            print("  shows", said.display_size)
        if said.adjusted:
            print("  becomes", said.adjusted.order_type, "by", said.adjusted.trailing_amount)

    # What TWS is known to refuse does not leave: the attribute, the reason and the cure are named.
    try:
        ot.iceberg(ot.limit("BUY", 100, low), 100)
    except ot.BadOrderError as error:
        print("refused:", error)
    connection.cancel_all_orders()
