"""The tests of the registry, and of what stands on it, on PostgreSQL and S3 as on files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rigs.postgres import PostgresServer
from tests.rigs.s3 import ObjectServer
from tests.rigs.shared_registry import BLOBS, VARIABLE

ROOT = Path(__file__).parents[3]
_PASSED = re.compile(r"(\d+) passed")


@pytest.mark.parametrize(
    ("folder", "least"),
    [
        ("tests/unit/registry", 50),
        ("tests/unit/versions", 30),
        ("tests/unit/projects", 10),
        ("tests/unit/packages", 30),
    ],
)
def test_they_pass_on_the_servers(
    folder: str,
    least: int,
    postgres: PostgresServer,
    bucket: ObjectServer,
    database: str,
    driver_folder: Path,
) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        **postgres.environment,
        **bucket.environment,
        VARIABLE: postgres.address(database),
        BLOBS: f"{bucket.blobs}/{database} {bucket.endpoint}",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "plugins"), str(driver_folder))),
    }
    words = [sys.executable, "-m", "pytest", "-p", "tests.rigs.shared_registry", folder, "-q"]
    done = subprocess.run(
        [*words, "-p", "no:cacheprovider", "-n", "0"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=1200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    found = _PASSED.search(done.stdout)
    assert found is not None
    print(f"{folder}: {found[0]} on PostgreSQL and S3")
    assert int(found[1]) >= least
