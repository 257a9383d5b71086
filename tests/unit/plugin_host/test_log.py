"""The log of plugins: which were loaded, and which refused, with the reason."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from studio.api import Extension, Unavailable
from studio.plugin_host import PluginFailed, PluginHost, Trust
from studio.plugin_host.digest import content_digest
from studio.plugin_host.plugin_import import forget
from tests.unit.plugin_host.test_host import make

NAME = "example_logged"


@pytest.fixture
def folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Path:
    caplog.set_level(logging.INFO, "studio")
    make(tmp_path / "plugins", NAME)
    return tmp_path / "plugins"


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    return [(one.levelname, one.getMessage(), one.__dict__["plugin"]) for one in caplog.records]


def test_a_plugin_is_loaded_once(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trust = Trust(tmp_path / "trust")
    trust.allow(NAME, content_digest(folder / NAME))
    for _ in range(2):
        PluginHost.discover(folder, trust).get(Extension.METRIC, "m")
    forget(NAME)
    assert said(caplog) == [("INFO", "plugin loaded", NAME)]


def test_a_refusal_has_its_reason(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trust = Trust(tmp_path / "trust")
    with pytest.raises(Unavailable):
        PluginHost.discover(folder, trust).get(Extension.METRIC, "m")
    trust.allow(NAME, content_digest(folder / NAME))
    host = PluginHost.discover(folder, trust)
    (folder / NAME / "metric.py").write_text("1 / 0\n")
    with pytest.raises(Unavailable):
        host.get(Extension.METRIC, "m")
    trust.allow(NAME, content_digest(folder / NAME))
    with pytest.raises(PluginFailed):
        PluginHost.discover(folder, trust).get(Extension.METRIC, "m")
    forget(NAME)
    levels, texts, plugins = zip(*said(caplog), strict=True)
    assert (set(levels), set(plugins)) == ({"WARNING"}, {NAME})
    reasons = ("no consent yet", "have changed", "division by zero")
    assert all(reason in text for reason, text in zip(reasons, texts, strict=True))
