"""Keeps these tests out of runs that do not name this folder, and knows where images are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.e2e.conftest import digits as digits  # a fixture of these tests too

HERE = Path(__file__).parent
# Read when the file is loaded: the tests' own home comes later, and images shall outlive it.
RIGS = Path(os.environ.get("EDGEWRIGHT_RIGS") or Path.home() / ".cache" / "edgewright-rigs")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out unless the command line names it or something in it."""
    return None if _named(config) else True


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run in which nothing passed has shown nothing, also where all was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    passed = reporter is not None and reporter.stats.get("passed")
    if _named(session.config) and exitstatus == pytest.ExitCode.OK and not passed:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def _named(config: pytest.Config) -> bool:
    named = (Path(config.invocation_params.dir, text.partition("::")[0]) for text in config.args)
    return any(path.resolve().is_relative_to(HERE) for path in named)


@pytest.fixture(scope="session")
def rigs() -> Path:
    """The folder in which images are kept from run to run."""
    RIGS.mkdir(parents=True, exist_ok=True)
    return RIGS


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """The command with one home for all tests of a module, which go on from each other."""
    return Studio(tmp_path_factory.mktemp("studio"))
