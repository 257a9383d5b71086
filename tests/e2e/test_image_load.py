"""An image put into the engine of a machine, by the channel that boards are reached through."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Silent, TargetError, TargetSpec, UsageError
from studio.deployment.artifacts.image import load_image
from tests.e2e.conftest import Studio
from tests.rigs.engine import BASE, DockerEngine

pytestmark = pytest.mark.rig

NAME = "edgewright-loaded:1"


def test_an_image_is_loaded(
    engine: DockerEngine,
    studio: Studio,
    digits: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    studio.environment["DOCKER_HOST"] = engine.url
    words = ("package", digits / "digits.onnx", "--image", NAME, "--set", f"base={BASE}")
    made = studio.ok(*words, "--image-out", tmp_path / "image", "--load-to", "local", timeout=600)
    engine.run("image", "inspect", NAME)
    engine.run("rmi", "--force", NAME)
    with pytest.raises(AssertionError, match="No such image"):
        engine.run("image", "inspect", NAME)

    monkeypatch.setenv("DOCKER_HOST", engine.url)
    target = TargetSpec("bench", "local:", "", {"root": str(tmp_path / "root")})
    load_image(target, Path(made["path"]), Silent())  # type: ignore[arg-type]
    engine.run("image", "inspect", NAME)
    assert list((tmp_path / "root" / "incoming").iterdir()) == []

    (tmp_path / "rubbish").write_bytes(b"no image")
    with pytest.raises(TargetError, match="The container engine of bench refused the image"):
        load_image(target, tmp_path / "rubbish", Silent())  # type: ignore[arg-type]
    engine.run("rmi", "--force", NAME)


def test_a_machine_without_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "mkdir", "rm", "cat", "mv"):
        (programs / name).symlink_to(Path("/bin", name))
    monkeypatch.setenv("PATH", str(programs))
    target = TargetSpec("bench", "local:", "", {"root": str(tmp_path / "root")})
    (tmp_path / "image").write_bytes(b"x")
    with pytest.raises(TargetError, match="bench has no container engine"):
        load_image(target, tmp_path / "image", Silent())  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="lab is a platform target"):
        load_image(TargetSpec("lab", "docker:x"), tmp_path / "image", Silent())  # type: ignore[arg-type]


def test_an_image_that_was_not_made(studio: Studio, digits: Path, tmp_path: Path) -> None:
    studio.environment["DOCKER_HOST"] = f"unix://{tmp_path}/nothing.sock"
    words = ("package", digits / "digits.onnx", "--image", NAME, "--load-to", "local")
    refused = studio.run(*words, timeout=600)
    assert refused.code == 1
    assert "The image was not built, so it cannot be loaded on the target." in refused.err
    assert "No container engine" in refused.err
