"""A broker of one's own: KIS's REST protocol over an exchange that can be stepped, bent and broken.

Truth (what happened) and wire (what each call shows, when) are kept apart. See `docs/simulator.md`.
"""

from __future__ import annotations

from trading.simulator.simulator import DEMO_APPKEY, DEMO_APPSECRET, Simulator

__all__ = ["DEMO_APPKEY", "DEMO_APPSECRET", "Simulator"]
