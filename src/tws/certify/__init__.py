"""Conformance scenarios played on a paper TWS and on the simulated one; what differs is named in a pack."""
