"""Reads of what is held and what is intended, in the shape a page needs."""
