"""The health command against a real server: ready, golden samples, and what it says when not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.runtime.health import main
from studio.runtime.health.golden import ask_golden
from studio.runtime.serve import local_server
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.serve import rig

pytestmark = pytest.mark.slow


@pytest.fixture
def first_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for ``/proc/1/cmdline``, which in a container is the server's."""
    path = tmp_path / "cmdline"
    monkeypatch.setattr(local_server, "_FIRST", path)
    return path


def command(path: Path, *words: str) -> None:
    path.write_bytes(b"".join(word.encode() + b"\0" for word in words))


def test_it_finds_the_server_and_asks_the_golden_samples(
    tmp_path: Path, first_process: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "b")
    given = ("--bundle", str(bundle.folder))
    with rig.ServerProcess(*given, "--port", "0", log=tmp_path / "log") as server:
        command(first_process, "python3", "x.pyz", "serve", *given, "--port", str(server.port))
        assert main([]) == 0
        assert main(["--golden"]) == 0
        found = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (found["ready"], found["samples"], found["mismatches"]) == (True, 2, 0)
        other = make_bundle(tmp_path / "o", 2)
        link = server.connect()
        assert ask_golden(link, {}, other.folder)["mismatches"] == 2
        link.close()
        words = ("serve", "--bundle", str(other.folder), "--port", str(server.port))
        command(first_process, *words)
        assert main(["--golden"]) == 1
    assert "2 of 2 golden samples differ" in capsys.readouterr().err


def test_it_shows_the_token(
    tmp_path: Path, first_process: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(tmp_path / "b")
    (tmp_path / "token").write_text("open-sesame\n")
    given = ("--bundle", str(bundle.folder), "--token-file", str(tmp_path / "token"))
    with rig.ServerProcess(*given, "--port", "0", log=tmp_path / "log") as server:
        command(first_process, "serve", *given, "--port", str(server.port))
        assert main(["--golden"]) == 0


def test_no_server(first_process: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(first_process, "serve", "--bundle", "/b", "--port", "1")
    assert main([]) == 1
    assert capsys.readouterr().err.startswith("The server is unhealthy: ")


def test_platforms_choose_the_port_by_variables(
    first_process: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIP_HTTP_PORT", "9090")
    command(first_process, "python3", "x.pyz", "serve", "--model", "/m.onnx")
    assert local_server.served().port == 9090
