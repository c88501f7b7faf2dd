"""OPINION: what a strategy would do. Siblings of portfolio; neither imports the other."""
