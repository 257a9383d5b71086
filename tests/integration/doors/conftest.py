"""The environment with clients, and a home with the digits in its registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.serve import environments
from tests.e2e.conftest import Studio

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@pytest.fixture(scope="session")
def clients(rigs: Path) -> Path:
    """The interpreter of an environment with the clients (kept from run to run)."""
    return environments.install("clients", rigs, HERE) / "bin" / "python"


@pytest.fixture(scope="module")
def desk(studio: Studio, digits: Path) -> Iterator[Studio]:
    """A home whose registry has the digits as ``#1``."""
    studio.environment["PYTHONPATH"] = f"{ROOT}:{ROOT / 'plugins'}"
    studio.ok("project", "set", digits / "digits.onnx", "--calibration", digits / "calibration.npz")
    yield studio
    if studio.has_deployed:
        studio.run("undeploy", "--target", "local")
