"""Intent in the admin: MP and Sub-MP with their versions, and two versions side by side."""

from portfolio.admin import portfolios

__all__ = ["portfolios"]
