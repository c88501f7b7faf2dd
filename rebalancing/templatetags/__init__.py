"""Codes of runs as words, for templates."""
