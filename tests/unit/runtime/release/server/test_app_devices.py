"""Devices of a unit: those of an app that reads a camera."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.runtime.release.server.unit import apps_need_devices


def release(root: Path, source: dict[str, object] | None, name: str = "a" * 64) -> None:
    folder = root / "releases" / name
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "app.toml").write_text("")
    files = {"model.onnx": {"sha256": "0" * 64, "bytes": 1}}
    app = {} if source is None else {"app": {"sources": [source]}}
    document = {
        "format": 1,
        "name": "m",
        "version": 1,
        "counter": 1,
        "files": files,
        "model": {"file": "model.onnx"},
        **app,
    }
    (folder / "manifest.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ({"name": "a", "type": "camera"}, True),
        ({"name": "a", "type": "microphone"}, True),
        ({"name": "a", "type": "csv", "path": "/dev/ttyUSB0"}, True),
        ({"name": "a", "type": "rtsp", "url": "rtsp://camera"}, False),
        ({"name": "a", "type": "video", "path": "film.avi"}, False),
        (None, False),
    ],
)
def test_an_app_that_reads_a_device_gets_devices(
    tmp_path: Path, source: dict[str, object] | None, wanted: bool
) -> None:
    release(tmp_path, {"name": "a", "type": "rtsp"}, "b" * 64)
    release(tmp_path, source)
    assert apps_need_devices(tmp_path) is wanted


def test_a_damaged_release_gets_none(tmp_path: Path) -> None:
    release(tmp_path, {"name": "a", "type": "camera"})
    (tmp_path / "releases" / ("a" * 64) / "manifest.json").write_text("{")
    assert not apps_need_devices(tmp_path)
    assert not apps_need_devices(tmp_path / "nowhere")
