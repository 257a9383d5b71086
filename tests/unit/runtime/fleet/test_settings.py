"""Settings of the broker of a board: mode and checks of their file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.fleet.settings import broker_address, load_settings
from studio.runtime.shared.errors import LoadError


def written(path: Path, mode: int = 0o600, **changes: Any) -> Path:
    """Write a file of settings."""
    path.write_text(json.dumps({"url": "nats://broker", "board": "cam-1", **changes}))
    path.chmod(mode)
    return path


def test_settings_are_read(tmp_path: Path) -> None:
    found = load_settings(
        written(tmp_path / "f", url="mqtts://b.example", labels={"site": "n"}, user="u", every_s=5)
    )
    assert found.address == ("mqtt", True, "b.example", 8883)
    assert found.labels == {"site": "n"}
    assert (found.every_s, found.topic, found.user) == (5.0, "edgewright/state", "u")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(LoadError, match="may be read by others"):
        load_settings(written(tmp_path / "f", mode))


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    keeper = os.open(path, os.O_RDWR)
    try:
        os.write(keeper, b"{}")
        os.set_blocking(keeper, False)
        with pytest.raises(LoadError):
            load_settings(path)
    finally:
        os.close(keeper)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"board": "a.b"}, "no name of a board"),
        ({"board": "a/b"}, "no name of a board"),
        ({"board": ""}, "no name of a board"),
        ({"topic": "a/#"}, "no topic"),
        ({"topic": "a b"}, "no topic"),
        ({"every_s": 0}, "every_s"),
        ({"every_s": 1e999}, "every_s"),
        ({"labels": {"Site": "x"}}, "label"),
        ({"labels": {"site": "a\nb"}}, "label"),
        ({"labels": {"site": 1}}, "label"),
        ({"labels": ["site"]}, "labels"),
        ({"labels": {f"l{n}": "" for n in range(17)}}, "labels"),
        ({"certificate": "/c"}, "belong together"),
        ({"url": "mqtt://b", "token": "t"}, "token"),
        ({"url": "ftp://b"}, "address"),
        ({"url": "http://b/path"}, "address"),
        ({"url": "https://b", "certificate": "/c", "key": "/k"}, "no certificate"),
        ({"url": "nats://u:secret@b"}, "login"),
        ({"pasword": "secret"}, "no setting"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(LoadError, match=text) as refused:
        load_settings(written(tmp_path / "f", **changes))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 60_000, b"1"])
def test_what_is_no_object_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(LoadError, match="not a JSON object"):
        load_settings(path)


@pytest.mark.parametrize(
    "url", ["", "nats:", "nats://", "nats://h:0x", "nats://h:99999", "nats://h/x", "nats://h?a"]
)
def test_an_address_is_a_host_and_a_port(url: str) -> None:
    with pytest.raises(LoadError):
        broker_address(url)
