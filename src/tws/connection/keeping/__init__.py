"""The life of a connection over its sessions: what is watched, decided, asked and told.

keeper   dials again, synchronises, renews
vitals   is TWS alive, was this machine awake
watch    is each stream fed; hours: is its market open
resume   what is asked after a gap; broker: what the broker has told, merged
calendar when TWS is away by plan; planned: what is said of it
events   what becomes of the link, and the table of its states (diagram); farms: those of IB
"""
