"""The description of the interface is valid OpenAPI by the validator of others."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path

from tests.e2e.conftest import Studio


def valid(clients: Path, document: Path) -> str:
    done = subprocess.run(
        [str(clients), "-m", "openapi_spec_validator", str(document)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_command_prints_a_valid_document(clients: Path, desk: Studio, tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    path.write_text(desk.run("openapi").out)
    assert valid(clients, path).endswith("OK\n")


def test_a_server_answers_with_the_same_document(
    clients: Path, desk: Studio, digits: Path, tmp_path: Path
) -> None:
    deployed = desk.ok("deploy", digits / "digits.onnx", "--target", "local")
    with urllib.request.urlopen(deployed["endpoint"] + "/openapi.json", timeout=30) as answer:
        content = answer.read()
    path = tmp_path / "served.json"
    path.write_bytes(content)
    assert valid(clients, path).endswith("OK\n")
    assert json.loads(content)["paths"].keys() == desk.run("openapi").json["paths"].keys()
