"""Names and counters that a server's bundle brings along: none becomes a path, none is the last."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from studio.api import ModelVersion, Refused, RegistrySession, Silent, StudioError
from studio.external_registries import record
from studio.external_registries.pull import fetch
from studio.external_registries.step import (
    FetchedBundle,
    FetchedFiles,
    FetchedVersion,
    PullOptions,
)
from studio.models.results import OpenResult
from studio.packages.bundle import MANIFEST, write_manifest
from studio.registry import Registry
from studio.settings import resource
from studio.workspace import Workspace

VERSION = ModelVersion("digits", "3", "", (), "", "", {}, "")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    with Workspace.open(home) as workspace:
        model = str(resource("samples", "digits", "digits.onnx"))
        outcome = workspace.run("package", model=model, out=str(home / "bundle"))
        assert outcome.ok, outcome
    return home / "bundle"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(tmp_path / "data" / "registry")
    yield opened
    opened.close()


@dataclass
class _Job:
    """What fetching needs of a job before it opens a model."""

    folder: Path
    progress: Callable[..., None] = Silent().progress
    check: Callable[[], None] = Silent().check


class _Server:
    """A registry that hands out one bundle."""

    def __init__(self, bundle: Path, change: Mapping[str, Any]) -> None:
        self._bundle, self._change = bundle, change

    def pull(self, version: ModelVersion, folder: Path, progress: Any) -> Path:
        shutil.copytree(self._bundle, folder)
        manifest = json.loads((folder / MANIFEST).read_text())
        write_manifest(folder, {**manifest, **self._change})
        return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "/tmp/evil/x"}, "cannot be named"),
        ({"name": "../../../../evil"}, "cannot be named"),
        ({"name": "x\n::error::"}, "cannot be named"),
        ({"name": "x\x1b]52;c;eA==\x07"}, "cannot be named"),
        ({"counter": 2**50}, "none above it would be left"),
        ({"counter": 2**63 - 1}, "out of bounds"),
        ({"counter": -1}, "out of bounds"),
    ],
)
def test_a_hostile_bundle_is_refused_before_its_model_is_opened(
    bundle: Path, tmp_path: Path, change: Mapping[str, Any], words: str
) -> None:
    server = cast(RegistrySession, _Server(bundle, change))
    with pytest.raises(StudioError, match=words):
        fetch(server, VERSION, (), cast(Any, _Job(tmp_path / "job")))


def test_a_worker_that_was_taken_over_cannot_name_the_users_files(
    registry: Registry, tmp_path: Path
) -> None:
    """What a worker gives back is judged anew: it had the network, and may be a stranger's now."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "id_ed25519").write_text("secret")
    job = registry.folder.parent / "jobs" / "1"
    (job / "opened" / "model").mkdir(parents=True)
    (job / "opened" / "model" / "m.onnx").write_bytes(b"weights")
    (job / "opened" / "graph.json.gz").write_bytes(b"graph")
    opened = OpenResult(
        source="m.onnx", name="m", copied=True, precision="fp32", format="onnx", bytes=7
    )
    packaged = FetchedBundle(str(keys), "a" * 64, "m", 1, 1)
    result = FetchedVersion(
        registry="http://r",
        name="m",
        version="1",
        run="",
        aliases=(),
        files=FetchedFiles(opened, packaged),
    )
    with pytest.raises(Refused, match="outside its folder"):
        record.record_pull(registry, PullOptions(name="m"), result, job)
    assert (keys / "id_ed25519").read_text() == "secret"
    assert registry.versions() == []
