"""How a session comes about and where its bytes go.

attempt  the dials of a connection, through all stages
stages   for each way to fail the cause with its cure; one handshake at a time
link     one socket
wire     the present one, at TWS's pace, from any thread
"""
