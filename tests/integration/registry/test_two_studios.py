"""Two studios on one registry, from the command line: PostgreSQL 17 and an S3 server."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.registry.servers.address import SharedAddress
from tests.e2e.conftest import STUDIO, Studio
from tests.rigs.postgres import PostgresServer

New = Callable[[str], Studio]


def use(studio: Studio, address: SharedAddress) -> None:
    """Let a studio use a shared registry."""
    blobs = ("--blobs", address.blobs, "--s3-endpoint", address.endpoint)
    studio.ok("registry", "use", address.database, *blobs)


@pytest.fixture
def pair(new_studio: New, address: SharedAddress) -> tuple[Studio, Studio]:
    """Two studios that use the same registry."""
    both = new_studio("anna"), new_studio("ben")
    for studio in both:
        use(studio, address)
    return both


def test_the_server_is_the_newest_that_debian_has(postgres: PostgresServer) -> None:
    assert postgres.sql("SHOW server_version")[0][0].startswith("17.")


def test_one_packages_and_the_other_deploys(
    pair: tuple[Studio, Studio], digits: Path, postgres: PostgresServer, database: str
) -> None:
    anna, ben = pair
    made = anna.ok("package", digits / "digits.onnx")
    # Ben has neither the model nor the bundle in his home before.
    assert [row["version"] for row in ben.ok("versions", "list")] == [made["version"]]
    deployed = ben.ok("deploy", "digits:1", "--target", "local")
    try:
        assert deployed["release"] == made["digest"]
        served = anna.ok("releases", "--everywhere")
        assert [row["release"] for row in served] == [made["digest"]]
        checked = anna.ok("registry", "check")
        assert checked["damaged"] == []
        rows = postgres.sql("SELECT DISTINCT role FROM changes", database)
        assert rows == [("owner",)]
    finally:
        ben.ok("undeploy", "--target", "local", "--purge")


def test_a_copy_to_the_server_and_back_has_the_same_digest(
    new_studio: New, address: SharedAddress, digits: Path
) -> None:
    anna, ben = new_studio("anna"), new_studio("ben")
    made = anna.ok("package", digits / "digits.onnx")
    place = ("--blobs", address.blobs, "--s3-endpoint", address.endpoint)
    there = anna.ok("registry", "copy", "--to", address.database, *place)
    back = ben.ok("registry", "copy", "--from", address.database, *place)
    assert there == back
    assert there["absent"] == 0
    assert [row["digest"] for row in ben.ok("versions", "list")] == [made["digest"]]
    assert ben.ok("registry", "check")["damaged"] == []


def test_a_registry_that_is_not_empty_is_not_copied_to(
    new_studio: New, address: SharedAddress, digits: Path
) -> None:
    anna = new_studio("anna")
    anna.ok("package", digits / "digits.onnx")
    place = ("--blobs", address.blobs, "--s3-endpoint", address.endpoint)
    anna.ok("registry", "copy", "--to", address.database, *place)
    again = anna.run("registry", "copy", "--to", address.database, *place)
    assert again.code == 2
    assert "is not empty" in again.err


def test_the_log_names_role_and_client(pair: tuple[Studio, Studio], digits: Path) -> None:
    anna, ben = pair
    anna.ok("package", digits / "digits.onnx")
    log = ben.ok("registry", "log")
    assert {row["role"] for row in log} == {"owner"}
    assert all(row["client"].startswith("edgewright ") for row in log)
    assert ("insert", "models") in {(row["change"], row["subject"]) for row in log}


def test_the_local_registry_comes_back(pair: tuple[Studio, Studio]) -> None:
    anna, _ben = pair
    assert anna.ok("registry", "use")["role"] == "owner"
    anna.ok("registry", "use", "local")
    assert anna.ok("registry", "use")["database"] == ""


def test_killed_commands_leave_a_whole_registry(pair: tuple[Studio, Studio], digits: Path) -> None:
    anna, ben = pair
    dice, killed = random.Random(7), 0
    while killed < 10:
        words = [str(STUDIO), "package", str(digits / "digits.onnx")]
        process = subprocess.Popen(
            words,
            env=anna.environment,
            cwd=anna.home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(dice.uniform(0.5, 6.0))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.wait(30)
    assert ben.ok("registry", "check")["damaged"] == []
    made = ben.ok("package", digits / "digits.onnx")
    versions = anna.ok("versions", "list")
    assert made["digest"] in {row["digest"] for row in versions}
    assert sorted(row["version"] for row in versions) == [*range(1, len(versions) + 1)]
