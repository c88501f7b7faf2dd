"""`python -m trading.simulator`."""

from __future__ import annotations

import sys

from trading.simulator.main import main

sys.exit(main())
