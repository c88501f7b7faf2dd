"""The US side of the simulated broker: its own calendar, market, accounts and screens, in dollars.

Money and prices are whole cents; the rate of a dollar is hundredths of a won.
"""
