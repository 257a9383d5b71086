"""The key of an approver."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs.plan_approvers import approver_key


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return approver_key(tmp_path)
