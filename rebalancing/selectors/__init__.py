"""Reads of runs and plans, in the shape pages, API and commands need."""
