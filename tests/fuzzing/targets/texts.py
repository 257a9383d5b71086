"""The readers of TOML: pipelines, presets, alert rules, preprocessing, manifests of plugins."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from studio.api import StudioError
from studio.datasets.preprocess import Preprocess
from studio.documents.toml_text import TomlText
from studio.monitoring.alerts.rules import read_alerts
from studio.pipelines.parser import read_pipeline
from studio.plugin_host.manifest import ManifestError, read_manifest
from studio.quantization.preset import Preset
from tests.fuzzing.mutation import change_text
from tests.fuzzing.target import Target

_ROOT = Path(__file__).parents[3]
_ALERTS = b"""[[rules]]
name = "slow"
metric = "latency_ms.p99"
above = 20.0
for_s = 60

[[channels]]
kind = "email"
host = "mail.example.org"
to = ["ann@example.org"]

[[channels]]
kind = "webhook"
url = "https://example.org/hook"
signing_secret = "HOOK_KEY"
levels = ["critical"]
"""


def _of_files(pattern: str) -> Callable[[], list[bytes]]:
    return lambda: [path.read_bytes() for path in sorted(_ROOT.glob(pattern))]


def _reader(
    name: str,
    seeds: Callable[[], Sequence[bytes]],
    read: Callable[[Path], object],
    *accepted: type[BaseException],
) -> Target:
    def run(data: bytes, folder: Path) -> None:
        path = folder / "read.toml"
        path.write_bytes(data)
        read(path)

    return Target(name, seeds, run, (StudioError, *accepted), change_text, largest=1 << 15)


def _preset(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    Preset.of(text, "read.toml").to_text()


def _positions(path: Path) -> None:
    """Every key of a file can be pointed at, where its line begins with it."""
    text = path.read_bytes().decode("utf-8", "replace")
    source = TomlText.read(text, "read.toml")
    for key in source.values:
        line, column = source.place(key)
        assert 0 <= line <= len(text) + 1, key
        assert 0 <= column <= len(text) + 1, key


TARGETS: dict[str, Callable[[], Target]] = {
    "toml": functools.partial(_reader, "toml", _of_files("resources/*/*/*.toml"), _positions),
    "pipeline": functools.partial(
        _reader, "pipeline", _of_files("resources/samples/*/pipeline.toml"), read_pipeline
    ),
    "preset": functools.partial(_reader, "preset", _of_files("resources/presets/*.toml"), _preset),
    "alerts": functools.partial(_reader, "alerts", lambda: [_ALERTS], read_alerts),
    "preprocess": functools.partial(
        _reader,
        "preprocess",
        _of_files("resources/samples/*/preprocess.toml"),
        Preprocess.from_toml,
    ),
    "manifest": functools.partial(
        _reader, "manifest", _of_files("plugins/*/plugin.toml"), read_manifest, ManifestError
    ),
}
