"""From received bytes to what they mean.

router     the walk over a chunk, frame by frame
ticks      the usual ticks in place (ticks_text, ticks_protobuf)
recurring  orders and statuses by what recurs in them; bars: history by columns
reading    the wire's messages into our model; tws_time: its times
answers    which handler hears which message; replies: the questions that wait; refusals: errors by name
"""
