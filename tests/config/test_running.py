"""What is running here, and that it runs once."""

from __future__ import annotations

from pathlib import Path

from config.running import only_one_here


def test_a_folder_has_one_installation_at_a_time(tmp_path: Path) -> None:
    first = only_one_here(tmp_path / "var")
    assert first is not None
    assert only_one_here(tmp_path / "var") is None
    assert only_one_here(tmp_path / "other") is not None
    first.close()
    assert only_one_here(tmp_path / "var") is not None
