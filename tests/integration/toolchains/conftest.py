"""The environments of the toolchains, which outlive a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Studio


@pytest.fixture(scope="module")
def kept(studio: Studio, rigs: Path) -> Studio:
    """A studio whose environments outlive the run: they are large."""
    studio.environment["EDGEWRIGHT_HOME"] = str(rigs / "toolchains")
    return studio
