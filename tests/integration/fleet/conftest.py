"""A studio with the client of NATS, a served sample, and certificates for brokers."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import _need
from tests.e2e.conftest import Studio


@pytest.fixture(scope="package")
def nats_packages(rigs: Path) -> Path:
    """The folder with nats-py, in the version of ``nats.txt``."""
    lock = Path(__file__).with_name("nats.txt")
    folder = rigs / f"nats-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not (folder / "installed").exists():
        words = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--upgrade"]
        command = [sys.executable, "-m", "pip", "install", *words, "--target", folder, "-r", lock]
        subprocess.run(command, check=True, timeout=300)
        (folder / "installed").touch()
    return folder


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, nats_packages: Path, digits: Path
) -> Iterator[Studio]:
    """A studio that serves the sample ``digits`` on this computer."""
    studio = Studio(tmp_path_factory.mktemp("studio"))
    paths = [os.environ.get("PYTHONPATH", ""), str(nats_packages)]
    studio.environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    studio.environment["EDGEWRIGHT_SERVICE"] = "process"
    data = ("--data", digits / "calibration.npz")
    studio.ok("deploy", digits / "digits.onnx", "--target", "local", *data, timeout=600)
    yield studio
    studio.run("undeploy", "--target", "local")


def secret_file(path: Path, **values: Any) -> Path:
    """Write a login that only its owner may read."""
    path.write_text(json.dumps(values))
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    chain, key = folder / "chain.pem", folder / "key.pem"
    subprocess.run(
        [
            *(_need("openssl"), "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=broker"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(chain)),
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o644)  # of a test; brokers run as users of their own
    return chain, key
