"""`SyncConnection`: the same core for synchronous programs and notebooks, on a daemon thread with its own loop.

Same names as `TWSConnection`; each `request_*` blocks until the answer (or raises); `stream_quotes` is a plain
iterator and context manager. Nothing is patched, so it works beside a running loop.
"""

from __future__ import annotations

__all__ = ["SyncConnection"]


class SyncConnection:
    """connect, disconnect, is_connected, with; request_*; stream_quotes; place_order, cancel_order; get_next_order_id."""
