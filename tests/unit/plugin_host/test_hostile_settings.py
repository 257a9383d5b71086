"""Installations beside hostile settings of pip and uv: variables, files and the current folder."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from studio.api import Silent, StudioError
from studio.plugin_host.environments import Environment
from studio.plugin_host.environments.build import EnvironmentBuild
from tests.rigs import toolchain as rig
from tests.unit.plugin_host.test_environments import environment
from tests.unit.plugin_host.test_environments import installer as installer  # one is mark.slow
from tests.unit.plugin_host.test_installation import index, use_index

PLACE = "{folder}/elsewhere"
VARIABLES = {
    "PIP_TARGET": PLACE,
    "PIP_PREFIX": PLACE,
    "PIP_ROOT": PLACE,
    "PIP_USER": "1",
    "PIP_REQUIREMENT": "{folder}/hostile.txt",
    "PIP_EDITABLE": "{folder}/project",
    "PIP_CONSTRAINT": "{folder}/hostile.txt",
    "PIP_DRY_RUN": "1",
    "PIP_REPORT": PLACE,
    "PIP_LOG": PLACE,
    "PIP_NO_BINARY": ":all:",
    "PIP_REQUIRE_HASHES": "0",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "UV_TARGET": PLACE,
    "UV_PREFIX": PLACE,
    "UV_REQUIRE_HASHES": "0",
    "UV_NO_BINARY": "1",
    "UV_CONSTRAINT": "{folder}/hostile.txt",
    "UV_OVERRIDE": "{folder}/hostile.txt",
    "UV_NO_VERIFY_HASHES": "1",
    "UV_DRY_RUN": "1",
}
FILES = (
    "sitecustomize.py",
    "usercustomize.py",
    "pip.py",
    "uv.py",
    "venv.py",
    "setup.py",
)
"""In the current folder: modules that a Python that looks there would run."""


def source_of(folder: Path) -> Path:
    """A source distribution whose ``setup.py`` leaves a mark."""
    content = f"open({str(folder / 'mark')!r}, 'w')\n".encode()
    path = folder / f"{rig.DISTRIBUTION}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("setup.py", "PKG-INFO"):
            entry = tarfile.TarInfo(f"{rig.DISTRIBUTION}-1.0/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def build(one: Environment, folder: Path, wheels: Path | None = None) -> dict[str, str]:
    """Make it; returns the versions of what is in it."""
    (folder / "job").mkdir()
    return dict(EnvironmentBuild(one, folder / "job" / "made", Silent(), wheels).run().versions)


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment to be made, with hostile files around, in the current folder, too."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    code = f"open({str(tmp_path / 'mark')!r}, 'w')\n"
    project = tmp_path / "project"
    project.mkdir()
    for name in FILES:
        (project / name).write_text(code)
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "setup"\nbackend-path = ["."]\n'
        '[tool.uv.pip]\nno-verify-hashes = true\ntarget = "../elsewhere"\n'
    )
    (project / "uv.toml").write_text('[pip]\ntarget = "../elsewhere"\n')
    (project / "pip.conf").write_text("[install]\ntarget = ../elsewhere\n")
    monkeypatch.chdir(project)
    other = rig.make_wheel(tmp_path / "other", module=code)
    digest = hashlib.sha256(other.read_bytes()).hexdigest()
    (tmp_path / "hostile.txt").write_text(f"{other.as_uri()} --hash=sha256:{digest}\n")
    return environment(tmp_path)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_changes_neither_what_is_installed_nor_where(
    tmp_path: Path, hostile: Environment, installer: None, monkeypatch, name: str
) -> None:
    monkeypatch.setenv(name, VARIABLES[name].format(folder=tmp_path))
    assert build(hostile, tmp_path, tmp_path / "wheels") == {rig.DISTRIBUTION: "1.0"}
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("content", ["wheel", "source"])
@pytest.mark.parametrize("place", ["variable", "extra", "file"])
def test_an_index_with_another_content_is_refused(
    tmp_path: Path, hostile: Environment, installer: None, monkeypatch, place: str, content: str
) -> None:
    other = next((tmp_path / "other").iterdir()) if content == "wheel" else source_of(tmp_path)
    with index(other, 1.0) as url:
        point_at(url, place, tmp_path, monkeypatch)
        with pytest.raises(StudioError):
            build(hostile, tmp_path)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("place", ["variable", "extra", "file"])
def test_a_mirror_with_the_same_content_is_used(
    tmp_path: Path, hostile: Environment, installer: None, monkeypatch, place: str
) -> None:
    (wheel,) = (tmp_path / "wheels").iterdir()
    with index(wheel, 1.0) as url:
        point_at(url, place, tmp_path, monkeypatch)
        assert build(hostile, tmp_path) == {rig.DISTRIBUTION: "1.0"}


def point_at(url: str, place: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Configure an index: by variables, as a further one, or in files of pip and uv."""
    use_index(patch, "http://127.0.0.1:9/simple/" if place == "extra" else url)
    if place == "extra":
        patch.setenv("PIP_EXTRA_INDEX_URL", url)
        patch.setenv("UV_EXTRA_INDEX_URL", url)
    if place == "file":
        for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
            patch.delenv(name)
        (folder / "pip.conf").write_text(f"[global]\nindex-url = {url}\n")
        (folder / "uv.toml").write_text(f'[[index]]\nurl = "{url}"\ndefault = true\n')
        patch.setenv("PIP_CONFIG_FILE", os.fspath(folder / "pip.conf"))
        patch.setenv("UV_CONFIG_FILE", os.fspath(folder / "uv.toml"))
