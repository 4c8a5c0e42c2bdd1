"""What may leave that moves money.

outbound  the only writer; sending: one frame on its way; calls: what a frame asks for
guard     the live lock, and the guard for whoever has no desk; gates: all of it for one connection
bookline  what the guard's book keeps of a call; rules: market rules by contract
patterns  placeOrder frames by pattern
ledger    what was written under each intent, counted at the last moment
"""
