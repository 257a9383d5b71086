"""A package of npm, fetched by npm beside hostile settings: variables, and files of them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.api.toolchains import NpmPackage
from studio.plugin_host.environments.npm_packages import install_package

pytestmark = [pytest.mark.rig, pytest.mark.needs("npm")]

SETTINGS = {
    "script-shell": "{folder}/program",
    "shell": "{folder}/program",
    "git": "{folder}/program",
    "editor": "{folder}/program",
    "call": "{folder}/program",
    "node-options": "--require {folder}/mark.js",
    "ignore-scripts": "false",
    "foreground-scripts": "true",
    "pack-destination": "{folder}/elsewhere",
    "prefix": "{folder}/elsewhere",
    "global": "true",
    "workspaces": "true",
    "json": "true",
}


def archive(folder: Path) -> bytes:
    """A package whose scripts leave a mark."""
    words = dict.fromkeys(("prepack", "prepare", "postpack", "install"), f"touch {folder}/mark")
    about = {"name": "example", "version": "1.2.3", "scripts": words}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as content:
        for name, text in (("package.json", json.dumps(about)), ("a.js", "code")):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text)
            content.addfile(entry, io.BytesIO(text.encode()))
    return stream.getvalue()


def integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


class Registry(BaseHTTPRequestHandler):
    """Has one package, whose archive is where ``tarball`` says."""

    content = b""
    tarball = ""

    def do_GET(self) -> None:
        here = f"http://{self.headers['Host']}/a.tgz"
        dist = {"tarball": self.tarball or here, "integrity": integrity(self.content)}
        versions = {"1.2.3": {"name": "example", "version": "1.2.3", "dist": dist}}
        page = json.dumps({"name": "example", "versions": versions}).encode()
        body = self.content if self.path.endswith(".tgz") else page
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Registry]]:
    """One in the ``.npmrc`` of the user; programs and modules that leave a mark."""
    handler = type("Handler", (Registry,), {"content": archive(tmp_path)})
    (tmp_path / "program").write_text(f"#!/bin/sh\ntouch {tmp_path}/mark\n")
    (tmp_path / "program").chmod(0o755)
    (tmp_path / "mark.js").write_text(f"require('fs').writeFileSync('{tmp_path}/mark', '')\n")
    for name in ("home", "made"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in [name for name in os.environ if name.lower().startswith("npm_config_")]:
        monkeypatch.delenv(name)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        (tmp_path / "home" / ".npmrc").write_text(
            f"registry=http://127.0.0.1:{server.server_port}/\nfetch-retries=0\n"
        )
        yield handler
        server.shutdown()


def install(folder: Path, content: bytes) -> None:
    """Install it as it is in the manifest, in a folder with the settings of a project."""

    def follow(command: Sequence[str]) -> str | None:
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        return done.stdout + done.stderr if done.returncode else None

    package = NpmPackage("example", "1.2.3", integrity(content), ("a.js",))
    install_package(package, folder / "made", None, follow)


@pytest.mark.parametrize("place", ["variable", "user", "project"])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_runs_nothing(
    tmp_path: Path, registry: type[Registry], monkeypatch, name: str, place: str
) -> None:
    value = SETTINGS[name].format(folder=tmp_path)
    if place == "variable":
        monkeypatch.setenv(f"npm_config_{name.replace('-', '_')}", value)
    else:
        file = tmp_path / "home" / ".npmrc" if place == "user" else tmp_path / ".npmrc"
        (tmp_path / "package.json").write_text("{}")
        with file.open("a") as settings:
            settings.write(f"{name}={value}\n")
    install(tmp_path, registry.content)
    assert (tmp_path / "made" / "share" / "npm" / "example" / "a.js").read_text() == "code"
    assert not (tmp_path / "mark").exists()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "tarball", ["", "file:///etc/hostname", "git+ssh://127.0.0.1/a.git", "git+file://{folder}"]
)
def test_a_registry_with_another_content_is_refused(
    tmp_path: Path, registry: type[Registry], monkeypatch, tarball: str
) -> None:
    genuine, registry.content = registry.content, registry.content + b"\0"
    registry.tarball = tarball.format(folder=tmp_path)
    monkeypatch.setenv("npm_config_git", str(tmp_path / "program"))
    with pytest.raises(StudioError):
        install(tmp_path, genuine)
    assert not (tmp_path / "mark").exists()
    assert not (tmp_path / "made" / "share").exists()
