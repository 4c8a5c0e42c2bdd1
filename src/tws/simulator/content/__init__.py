"""What the simulated TWS knows beside markets: news, companies, reports, corporate events, scans.

All of it is invented, in words of its own, by the run's seed, the conId and a date: the same question gets
the same answer at any speed, in any order, in a second run. Nothing here has a clock or a session.

company   figures of a company, from which reports and events are made
news      headlines and articles by day; bulletins; feeds: contracts of type NEWS
reports   fundamentals as XML
horizon   the calendar of corporate events as JSON
scans     what a scanner finds in the simulated market
catalogue what scanners know, as XML
"""
