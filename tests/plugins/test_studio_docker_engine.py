"""The way to an engine: names, addresses, and sentences for what stands in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Unavailable, UsageError
from studio_docker.engine.connection import address_of, connect, default_engine
from studio_docker.engine.error_text import sentence
from studio_docker.packager import checked_name


@pytest.mark.parametrize("name", ["digits", "digits:1", "127.0.0.1:5055/a/b_c:v1.2-x", "r.io/x"])
def test_names_of_images(name: str) -> None:
    assert checked_name(name).startswith(name)
    assert ":" in checked_name(name).rpartition("/")[2]


@pytest.mark.parametrize("name", ["", "Digits:1", "a b", "a:b:c", "-x", "a/", "a:" + "x" * 200])
def test_names_that_no_image_can_have(name: str) -> None:
    with pytest.raises(UsageError, match="Invalid image name"):
        checked_name(name)


def test_addresses() -> None:
    here = address_of("docker:digits", {}, {"DOCKER_HOST": "tcp://lab:2375"})
    assert (here.engine, here.name, here.host, here.is_local) == (
        "tcp://lab:2375",
        "digits",
        "lab",
        False,
    )
    socket = address_of("docker+unix:///run/d.sock/digits", {}, {})
    assert (socket.engine, socket.name, socket.host) == (
        "unix:///run/d.sock",
        "digits",
        "127.0.0.1",
    )
    named = address_of("docker:digits", {"engine": "ssh://me@lab"}, {})
    assert (named.engine, named.host) == ("ssh://me@lab", "lab")


@pytest.mark.parametrize("url", ["docker:", "docker:Two Words", "docker+unix://x", "docker:a/../b"])
def test_addresses_that_name_nothing(url: str) -> None:
    with pytest.raises(UsageError):
        address_of(url, {}, {})


def test_the_first_socket_there_is(tmp_path: Path) -> None:
    (tmp_path / "podman").mkdir()
    (tmp_path / "podman" / "podman.sock").touch()
    found = default_engine({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert found in (f"unix://{tmp_path}/podman/podman.sock", "unix:///var/run/docker.sock")


def test_no_engine(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No container engine at") as raised:
        connect(f"unix://{tmp_path}/d.sock")
    assert "apt install" in raised.value.hint
    (tmp_path / "dead.sock").touch()
    with pytest.raises(Unavailable, match="does not answer"):
        connect(f"unix://{tmp_path}/dead.sock")


@pytest.mark.parametrize(
    ("said", "sentence_of_ours"),
    [
        (
            "error setting cgroup config: unable to set memory limit to 8388608",
            "The container exceeds its memory limit.",
        ),
        (
            "container init was OOM-killed (memory limit too low?)",
            "The container exceeds its memory limit.",
        ),
        ("cannot start a stopped process: unknown", "most often for lack of memory"),
        ("write /x: no space left on device", "disk of the container engine is full"),
        ("unauthorized: authentication required", "wants another login"),
        ("denied: requested access to the resource is denied", "does not let you"),
        ("Get https://r/v2/: http: server gave HTTP response to HTTPS client", "plain HTTP"),
        ("something of its own\nwith a second line", "It failed: something of its own."),
    ],
)
def test_what_an_engine_says(said: str, sentence_of_ours: str) -> None:
    error = sentence("It", said)
    assert sentence_of_ours in error.message
    assert said in error.detail
