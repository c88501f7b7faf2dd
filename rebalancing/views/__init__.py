"""Doors of rebalancing for people: cards, the history, one run, and the decisions on it."""
