"""What TWS feeds until it is cancelled, and the objects that users hold of it.

subscriptions  who is fed, over lost links too
streams        quotes and ticks; barstreams, statestreams, depthstream: the others
"""
