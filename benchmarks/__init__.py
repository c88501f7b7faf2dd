"""What Jeoul costs: each module measures one thing and promises no more than it measured.

A module has `figures()`, which returns {name: entry}. An entry has value, unit, peer, peer_version,
peer_value, ratio, runs, agree and entry; `peer` is None where there is nothing to compare with, and
`goal` is what we want of ourselves. Nothing fails on a slow machine.
"""

NAMES = (
    "rebalance_plan",
    "rebalance_run",
    "dashboard",
    "fault_days",
    "gate",
    "memory",
    "second_run",
    "admin_lists",
    "simulator_http",
)
