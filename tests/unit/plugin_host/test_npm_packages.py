"""Packages of npm in an environment: declared, fetched by npm, compared with their hash."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import StudioError, Unavailable
from studio.api.toolchains import NpmPackage
from studio.plugin_host.environments import Environment
from studio.plugin_host.environments.npm_packages import (
    archive_name,
    install_package,
    read_packages,
    require_npm,
)
from tests.unit.plugin_host.test_environments import NEED, environment, make

TABLE = {
    "name": "@edge/example",
    "version": "1.2.3",
    "integrity": f"sha512-{'A' * 86}==",
    "files": ["dist/a.js"],
}


def packed(folder: Path, *, link: bool = False) -> NpmPackage:
    """A package, with its archive in a folder."""
    path = folder / "edge-example-1.2.3.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("package/dist/a.js", "package/dist/b.js", "../outside.js"):
            about = tarfile.TarInfo(name)
            if link and name.endswith("a.js"):
                about.type, about.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(about)
                continue
            about.size = 4
            archive.addfile(about, io.BytesIO(b"code"))
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    return NpmPackage("@edge/example", "1.2.3", f"sha512-{digest}", ("dist/a.js",))


def run(command: Sequence[str]) -> str | None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else None


def fake_npm(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_declaration_is_read() -> None:
    (package,) = read_packages([TABLE])
    assert (package.name, package.version) == ("@edge/example", "1.2.3")
    assert archive_name(package) == "edge-example-1.2.3.tgz"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "^1.2.3"}, "one version"),
        ({"name": "--registry"}, "one version"),
        ({"integrity": "sha1-abc="}, "no SHA-512"),
        ({"files": ["../a.js"]}, "list of paths"),
        ({"files": "dist"}, "list of paths"),
        ({"host": "example.org"}, "has the keys"),
    ],
)
def test_a_declaration_that_is_none_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_packages([{**TABLE, **change}])


def test_named_files_alone_are_unpacked(tmp_path: Path) -> None:
    package = packed(tmp_path)
    made = tmp_path / "made"
    made.mkdir()
    install_package(package, made, tmp_path, run)
    files = {str(one.relative_to(made)) for one in made.rglob("*") if one.is_file()}
    assert files == {"share/npm/@edge/example/dist/a.js"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"integrity": TABLE["integrity"]}, "The hash of @edge/example differs"),
        ({"files": ("dist/c.js",)}, "has no file dist/c.js"),
    ],
)
def test_another_archive_is_refused(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    package = replace(packed(tmp_path), **change)
    made = tmp_path / "made"
    made.mkdir()
    with pytest.raises(StudioError, match=words):
        install_package(package, made, tmp_path, run)
    assert not (made / "share").exists()


def test_a_link_in_an_archive_is_no_file(tmp_path: Path) -> None:
    package = packed(tmp_path, link=True)
    made = tmp_path / "made"
    made.mkdir()
    with pytest.raises(StudioError, match=r"has no file dist/a\.js"):
        install_package(package, made, tmp_path, run)


def test_npm_fetches_by_its_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = packed(tmp_path)
    said = tmp_path / "said"
    copy = f'echo "$@" > {said}; for last; do :; done; cp {tmp_path}/*.tgz "$last"'
    fake_npm(tmp_path / "bin", copy, monkeypatch)
    made = tmp_path / "made"
    made.mkdir()
    install_package(package, made, None, run)
    words = said.read_text().split()
    assert words[:3] == ["pack", "@edge/example@1.2.3", "--ignore-scripts"]
    assert (made / "share" / "npm" / "@edge" / "example" / "dist" / "a.js").read_bytes() == b"code"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo npm error code ENOTFOUND >&2; exit 1", "cannot be reached"),
        ("echo npm error 404 not found >&2; exit 1", "downloaded: npm error 404 not found"),
        ("true", "npm wrote no archive"),
    ],
)
def test_a_failed_download_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    package = packed(tmp_path)
    fake_npm(tmp_path / "bin", text, monkeypatch)
    made = tmp_path / "made"
    made.mkdir()
    with pytest.raises(StudioError, match=words):
        install_package(package, made, None, run)


def test_a_missing_npm_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = packed(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="npm is not installed, and @edge/example comes from"):
        require_npm([package], None)
    require_npm([package], tmp_path)
    with pytest.raises(StudioError, match=r"has no edge-example-1\.2\.3\.tgz"):
        require_npm([package], tmp_path / "empty")


def test_an_environment_has_the_version_and_another_package_makes_another(tmp_path: Path) -> None:
    one = environment(tmp_path)
    package = packed(tmp_path / "wheels")
    with_package = replace(one, need=replace(NEED, npm=(package,)))
    make(with_package, tmp_path / "job")
    state = with_package.usable()
    assert state.versions["@edge/example"] == "1.2.3"
    assert (with_package.folder / "share/npm/@edge/example/dist/a.js").is_file()
    newer = replace(package, integrity=str(TABLE["integrity"]))
    with pytest.raises(Unavailable, match="must be installed again"):
        Environment(one.plugin, replace(NEED, npm=(newer,)), one.source, one.parent).usable()
