"""Storms: platform and exchange in one process on one clock, faults by seed, laws over what is left."""
