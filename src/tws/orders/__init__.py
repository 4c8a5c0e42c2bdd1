"""Our orders: the table of their states, and the book in which they are found.

    table.py    every state, event and arc, each with its reason
    sources.py  what each arc rests on
    book.py     OurOrder, and OrderBook: by intent, by permanent id, by order id
    terms.py    what an order is by TWS's own word, and the order that changes it
    diagram.py  the table drawn, for docs/design/orders.md
    search.py   what a word names in a journal
    story.py    an order's life in sentences
"""

from __future__ import annotations

from tws.model.records import OrderState
from tws.orders.book import OrderBook, OurOrder, PermanentId
from tws.orders.table import ARCS, ENDED, STATUS_EVENTS, Arc, OrderEvent, follow

__all__ = ["ARCS", "ENDED", "STATUS_EVENTS", "Arc", "OrderBook", "OrderEvent", "OrderState", "OurOrder",
           "PermanentId", "follow"]
