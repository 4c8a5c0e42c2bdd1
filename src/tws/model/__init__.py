"""Frozen typed values that travel between rooms. No behaviour beyond checking and converting.

contract    what can be traded
expiry      when a future ends
instrument  its grid of prices and quantities; the only door between float, Decimal and integer
marketrule  which prices an exchange takes, by price level
market      quotes, trades, bars
depth       levels behind the best quote
past        ticks of the past, volume by price, sessions that were
options     implied volatility and greeks
reference   symbols, option chains, exchanges
progress    how far a request that needs many has come
order       what we ask of the broker
conditions  what an order waits for
algos       what works it at IB
attributes  all else that an order may say
fullorder   an order with all of it
execution   what the broker did
whatif      what an order would cost
exercise    what is done with options that are held
settings    TWS's own settings, and their change
advisor     groups and aliases of an advisor's accounts
facts       what the connection hears, in the order in which it heard it
account     positions, account values, profit and loss
signal      what a model wishes
sizing      how large an entry is wished
stop        how far an emergency stop has gone, and what it covers
records     what the journal keeps (see `tws.desk`)
"""
