"""What the doctor says of the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.settings import Paths
from studio.workspace.diagnosis import examine


def test_the_doctor_says_where_the_log_lies_and_whether_it_can_be_written(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = {check.name: check for check in examine()}
    folder = Paths.of().logs
    assert (checks["log"].ok, checks["log"].text) == (True, str(folder))
    monkeypatch.setattr("os.access", lambda place, mode: False)  # root may write anywhere
    checks = {check.name: check for check in examine()}
    assert (checks["log"].ok, checks["log"].text) == (False, f"{folder} cannot be written to")
