"""Discovery and loading of plugins, and the reasons for what is unavailable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from studio.api import Extension, Unavailable
from studio.plugin_host import ManifestError, PluginHost, PluginState, Trust, read_manifest
from studio.plugin_host.digest import content_digest
from studio.settings.installation import install_command

MANIFEST = """
id = "{id}"
name = "Example"
version = "1.0"
api = {api}
requires = [{requires}]
permissions = ["network"]
[[metrics]]
id = "m"
title = "A metric"
factory = "{id}.metric:Metric"
unit = "points"
"""


def make(folder: Path, name: str, *, api: int = 1, requires: str = "", code: str = "") -> None:
    (folder / name).mkdir(parents=True)
    text = MANIFEST.format(id=name, api=api, requires=requires)
    (folder / name / "plugin.toml").write_text(text)
    (folder / name / "__init__.py").write_text("")
    (folder / name / "metric.py").write_text(code or "class Metric:\n    id = 'm'\n")


def discover(folder: Path) -> PluginHost:
    """The plugins of a folder whose user agrees to whatever lies there."""
    trust = Trust(folder.parent / f"{folder.name}-trust")
    for place in folder.iterdir():
        trust.allow(place.name, content_digest(place))
    return PluginHost.discover(folder, trust)


def state_of(host: PluginHost, name: str) -> tuple[PluginState, str]:
    plugin = next(plugin for plugin in host.plugins if plugin.id == name)
    return plugin.state, plugin.reason


def test_nothing_is_imported_before_first_use(tmp_path: Path) -> None:
    make(tmp_path, "example_lazy")
    host = discover(tmp_path)
    capability = host.find(Extension.METRIC, "m")
    assert capability.extra == {"unit": "points"}
    assert "example_lazy" not in sys.modules
    assert host.create(capability).id == "m"
    assert host.create(capability) is host.create(capability)
    assert "example_lazy.metric" in sys.modules


def test_the_installed_plugins_are_found() -> None:
    host = PluginHost.discover()
    assert {"studio_onnx", "studio_onnxruntime"} <= {plugin.id for plugin in host.plugins}


def test_a_missing_requirement_is_the_reason(tmp_path: Path) -> None:
    make(tmp_path, "example_needy", requires='"no-such-library>=3"')
    host = discover(tmp_path)
    state, reason = state_of(host, "example_needy")
    assert state is PluginState.UNAVAILABLE
    command = install_command(["no-such-library>=3"])
    assert command.endswith(" -m pip install 'no-such-library>=3'")
    assert reason == f"no-such-library>=3 is not installed; install it with: {command}"
    with pytest.raises(Unavailable, match="A metric is not available: no-such-library"):
        host.get(Extension.METRIC, "m")
    assert all(capability.plugin != "example_needy" for capability in host.all(Extension.METRIC))


def test_another_version_of_the_api_is_the_reason(tmp_path: Path) -> None:
    make(tmp_path, "example_future", api=3)
    state, reason = state_of(discover(tmp_path), "example_future")
    assert state is PluginState.UNAVAILABLE
    assert "version 3" in reason


@pytest.mark.parametrize("api", [1, 2])
def test_both_versions_of_the_api_load(tmp_path: Path, api: int) -> None:
    name = f"example_api_{api}"
    make(tmp_path, name, api=api)
    host = discover(tmp_path)
    assert state_of(host, name) == (PluginState.AVAILABLE, "")
    assert host.get(Extension.METRIC, "m").id == "m"
    assert next(one for one in host.plugins if one.id == name).manifest.notes == ()


def test_a_table_of_commands_is_noted_and_breaks_nothing(tmp_path: Path) -> None:
    make(tmp_path, "example_commands")
    manifest = tmp_path / "example_commands" / "plugin.toml"
    row = '\n[[commands]]\nid = "hello"\nfactory = "example_commands.hello:Hello"\n'
    manifest.write_text(manifest.read_text() + row)
    host = discover(tmp_path)
    plugin = next(one for one in host.plugins if one.id == "example_commands")
    assert plugin.state is PluginState.AVAILABLE
    assert [capability.id for capability in plugin.capabilities] == ["m"]
    (note,) = plugin.manifest.notes
    assert "[[commands]] has no effect" in note


def test_a_broken_requirement_does_not_take_the_others_down(tmp_path: Path) -> None:
    make(tmp_path, "example_wrong", requires='"=== what"')
    make(tmp_path, "example_right")
    host = discover(tmp_path)
    assert state_of(host, "example_wrong")[0] is PluginState.BROKEN
    assert state_of(host, "example_right")[0] is PluginState.AVAILABLE


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", "division by zero"),
        ("Metric = None", "not callable"),
        ("x = 1", "has no attribute"),
    ],
)
def test_code_that_fails_names_its_plugin(tmp_path: Path, code: str, words: str) -> None:
    name = f"example_fails_{words.replace(' ', '_')}"
    make(tmp_path, name, code=code)
    host = discover(tmp_path)
    with pytest.raises(Unavailable, match=f"{name} failed .*{words}"):
        host.get(Extension.METRIC, "m")


def test_what_nobody_offers_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Unknown backend 'tpu'"):
        discover(tmp_path).get(Extension.BACKEND, "tpu")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the key 'id' is missing"),
        ("id = 'Upper'\n", "not a lower-case package name"),
        ("id = [", "cannot be read"),
        (MANIFEST.format(id="abc", api="1", requires="1"), "requires must be a list of texts"),
        (
            MANIFEST.format(id="abc", api="1", requires="").replace(".metric:Metric", ""),
            "is not 'package.module:attribute'",
        ),
        (MANIFEST.format(id="abc", api="1", requires="").replace("network", "root"), "'root'"),
    ],
)
def test_a_wrong_manifest_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "plugin.toml"
    file.write_text(text)
    with pytest.raises(ManifestError, match=r"plugin\.toml") as raised:
        read_manifest(file)
    assert words in str(raised.value)


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path / "plugin.toml")
