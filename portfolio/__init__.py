"""INTENT: model portfolios, sub-portfolios, targets, drift."""
