"""A model deployed to this computer through the workspace: packaged, served, taken back."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from studio.workspace import Workspace
from tests.unit.runtime.models import make_cnn, make_cnn_versions

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(studio_home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        yield opened
        opened.run("undeploy", target="local", purge=True)


def served(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    link.request("GET", "/edgewright/status")
    answer = json.loads(link.getresponse().read())
    link.close()
    return str(answer["digest"])


def test_from_a_file_to_an_endpoint_and_back(workspace: Workspace, tmp_path: Path) -> None:
    first, other = make_cnn_versions(tmp_path)
    planned = workspace.run("deploy", model=str(first), dry_run=True)
    assert planned.ok, planned.sentence
    assert planned.document["state"] == "planned"
    assert planned.document["possible"] is True
    assert workspace.registry.versions() == []

    one = workspace.run("deploy", model=str(first), soak_s=0.2)
    assert one.ok, one.sentence
    # With the frames around the files, and without what packing saves.
    assert 0.5 < one.document["bytes_sent"] / one.document["bytes_total"] < 1.01
    assert served(one.document["endpoint"]) == one.document["release"]

    again = workspace.run("deploy", model=str(first), soak_s=0.2)
    assert again.document["version"] == 1
    assert again.document["bytes_sent"] == 0

    bundle = workspace.registry.versions()[0].path
    by_folder = workspace.run("deploy", model=str(bundle), soak_s=0.2)
    assert by_folder.ok, by_folder.sentence
    assert by_folder.document["release"] == one.document["release"]

    two = workspace.run("deploy", model=str(other), soak_s=0.2)
    assert two.ok, two.sentence
    assert two.document["endpoint"] == one.document["endpoint"]
    assert served(two.document["endpoint"]) == two.document["release"]

    back = workspace.run("rollback", target="local")
    assert back.ok, back.sentence
    assert served(one.document["endpoint"]) == one.document["release"]
    states = [row["state"] for row in workspace.run("releases").document["releases"]]
    assert states[:2] == ["serving", "rolled back"]
    assert workspace.registry.releases("local")[0].state == "serving"


def test_nothing_to_deploy_or_to_take_back(workspace: Workspace) -> None:
    nothing = workspace.run("deploy")
    assert nothing.exit_code == 2
    assert "Missing model or bundle" in nothing.sentence
    back = workspace.run("rollback")
    assert back.exit_code == 1
    assert back.sentence.startswith("This target has no release")


def test_an_altered_bundle_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    model = make_cnn(tmp_path / "cnn.onnx")
    made = workspace.run("package", model=str(model), out=str(tmp_path / "bundle"))
    assert made.ok, made.sentence
    file = tmp_path / "bundle" / "model.onnx"
    content = bytearray(file.read_bytes())
    content[200] ^= 1
    file.write_bytes(content)
    outcome = workspace.run("deploy", bundle=str(tmp_path / "bundle"))
    assert not outcome.ok
    assert "model.onnx is not what its manifest says" in outcome.sentence
