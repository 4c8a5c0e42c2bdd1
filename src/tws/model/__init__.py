"""Frozen typed values that travel between rooms. No behaviour beyond checking and converting.

contract    what can be traded
instrument  its grid of prices and quantities; the only door between float, Decimal and integer
marketrule  which prices an exchange takes, by price level
market      quotes, trades, bars
order       what we ask of the broker
execution   what the broker did
facts       what the connection hears, in the order in which it heard it
account     positions and account values
signal      what a model wishes
records     what the journal keeps (see `tws.desk`)
"""
