"""Who gets the login of a registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Permission
from studio.external_registries.step import REGISTRY_PULL
from studio.jobs.sandbox import environment
from studio.settings import Paths


def test_a_worker_that_parses_gets_no_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
    paths = Paths.of(home=tmp_path)
    parses = environment(paths, tmp_path, frozenset({Permission.NETWORK}))
    pulls = environment(paths, tmp_path, REGISTRY_PULL.needs)
    assert "t0ken" not in parses.values()
    assert pulls["MLFLOW_TRACKING_TOKEN"] == "t0ken"
