"""How numbers, times and ages look on every page."""
