"""Reads, in the shape a caller needs."""
