"""FACTS AND ACTS: accounts, orders, fills, limits, KIS, the simulator. Imports no other app."""
