"""The TWS protocol as a pure library: framing, handshake, messages, codec, codes. No I/O, both roles.

`framing` cuts a stream into payloads; `session` speaks the handshake of either side; `messages` are frozen
values; `codec` turns payloads into messages and back for server versions 157 to 225; `codes` says what TWS's
error codes mean. The fast reading of floods of ticks is the connection's (`tws.connection.hearing.ticks`).
"""
