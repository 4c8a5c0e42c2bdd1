"""The messages of the wire as protobuf, through the generated classes of the official package.

    write = encoder(TickPrice, 1)                    # message -> four bytes of id, then the body
    read = decoder(TickPrice)                        # body -> message
    part(TickPrice, req_id=7, tick_type=1)           # some fields alone, for whoever joins and caches parts

Our messages have the official names in snake_case, so the mapping is found, not written down: `mapping`
pairs the attributes of a struct with the fields of its official class, `writing` makes an encoder of the
pairs and `reading` a decoder. Where the two differ in shape a row of `exceptions` says so. An absent field
means "unset" (TWS-BEHAVIOUR.md F7). The classes are imported when a message is first met; text sessions never
pay for it.
"""

from __future__ import annotations

from tws.wire.protobuf.reading import UnreadableError, decoder
from tws.wire.protobuf.writing import encoder, part

__all__ = ["UnreadableError", "decoder", "encoder", "part"]
