"""Consent by content, safe mode, and plugins that crash too often."""

from __future__ import annotations

import importlib
import py_compile
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import Extension, Refused, Unavailable
from studio.plugin_host import MOST_CRASHES, ManifestError, PluginHost, PluginState, Trust
from studio.plugin_host import host as host_module
from studio.plugin_host.digest import content_digest
from studio.plugin_host.discovery import Plugin
from studio.plugin_host.plugin_import import culprit, forget
from studio.settings import SAFE_VARIABLE, Paths
from studio.workspace import Workspace
from tests.unit.plugin_host.test_host import make, state_of


@pytest.fixture
def places(tmp_path: Path) -> Iterator[tuple[Path, Trust]]:
    """A user's folder with one plugin, and what its user decided: nothing yet."""
    make(tmp_path / "plugins", "example_alien")
    yield tmp_path / "plugins", Trust(tmp_path / "trust")
    forget("example_alien")


def test_nothing_of_a_plugin_is_used_before_consent(places: tuple[Path, Trust]) -> None:
    folder, trust = places
    host = PluginHost.discover(folder, trust)
    state, reason = state_of(host, "example_alien")
    assert state is PluginState.NEEDS_CONSENT
    assert "studio plugins allow example_alien" in reason
    assert all(capability.plugin != "example_alien" for capability in host.all(Extension.METRIC))
    with pytest.raises(Unavailable, match="no consent"):
        host.get(Extension.METRIC, "m")
    assert "example_alien" not in sys.modules


def test_built_in_plugins_need_no_consent(places: tuple[Path, Trust]) -> None:
    host = PluginHost.discover(*places)
    assert host.plugin("studio_onnx").built_in
    assert host.plugin("studio_onnx").state is PluginState.AVAILABLE


def test_consent_is_asked_for_again_when_a_file_changes(places: tuple[Path, Trust]) -> None:
    folder, trust = places
    trust.allow("example_alien", content_digest(folder / "example_alien"))
    assert state_of(PluginHost.discover(folder, trust), "example_alien")[0] is PluginState.AVAILABLE
    (folder / "example_alien" / "data.bin").write_bytes(b"new")
    state, reason = state_of(PluginHost.discover(folder, trust), "example_alien")
    assert state is PluginState.NEEDS_CONSENT
    assert reason.startswith("its files have changed since you allowed it")


def test_files_that_change_after_discovery_are_not_imported(places: tuple[Path, Trust]) -> None:
    folder, trust = places
    plugin = folder / "example_alien"
    trust.allow("example_alien", content_digest(plugin))
    opened_long_ago = PluginHost.discover(folder, trust)
    before = PluginHost.discover(folder, trust).get(Extension.METRIC, "m")
    (plugin / "metric.py").write_text("class Metric:\n    id = 'other'\n")
    with pytest.raises(Unavailable, match="the files of example_alien have changed"):
        opened_long_ago.get(Extension.METRIC, "m")
    trust.allow("example_alien", content_digest(plugin))
    after = PluginHost.discover(folder, trust).get(Extension.METRIC, "m")
    assert (before.id, after.id) == ("m", "other"), "what was imported before is forgotten"


def test_plugins_are_searched_again_after_a_change_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    paths = Paths.of()
    PluginHost.discover()
    searches: list[Path] = []
    search = host_module.find_plugins

    def counted(folder: Path, trust: Trust) -> dict[str, Plugin]:
        searches.append(folder)
        return search(folder, trust)

    monkeypatch.setattr(host_module, "find_plugins", counted)
    assert PluginHost.again().plugins == PluginHost.discover(paths.plugins).plugins
    assert len(searches) == 1, "the second one asks for it"
    make(paths.plugins, "example_alien")
    assert state_of(PluginHost.again(), "example_alien")[0] is PluginState.NEEDS_CONSENT
    Trust(paths.trust).allow("example_alien", content_digest(paths.plugins / "example_alien"))
    assert state_of(PluginHost.again(), "example_alien")[0] is PluginState.AVAILABLE
    assert len(searches) == 3
    forget("example_alien")


@pytest.mark.parametrize("way", ["changed", "added"])
def test_a_module_that_is_imported_late_must_be_as_it_was_agreed_to(
    places: tuple[Path, Trust], way: str
) -> None:
    folder, trust = places
    plugin = folder / "example_alien"
    late = plugin / "late.py"
    if way == "changed":
        late.write_text("VALUE = 'agreed'\n")
    trust.allow("example_alien", content_digest(plugin))
    PluginHost.discover(folder, trust).get(Extension.METRIC, "m")
    late.write_text("VALUE = 'another'\n")
    with pytest.raises(
        Refused, match=r"late\.py of the plugin example_alien has changed since you allowed it"
    ):
        importlib.import_module("example_alien.late")
    assert "example_alien.late" not in sys.modules


def test_a_module_that_is_imported_late_and_was_not_changed_is_run(
    places: tuple[Path, Trust],
) -> None:
    folder, trust = places
    (folder / "example_alien" / "late.py").write_text("VALUE = 'agreed'\n")
    trust.allow("example_alien", content_digest(folder / "example_alien"))
    PluginHost.discover(folder, trust).get(Extension.METRIC, "m")
    assert importlib.import_module("example_alien.late").VALUE == "agreed"


def test_a_distribution_that_calls_itself_edgewright_is_no_built_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    make(site, "example_claim")
    made = site / "EDGEWRIGHT-9.9.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: EDGEWRIGHT\nVersion: 9.9\n")
    entries = "[edgewright.plugins]\nexample_claim = example_claim\nstudio_onnx = example_claim\n"
    (made / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(str(site))
    host = PluginHost.discover(tmp_path / "none", Trust(tmp_path / "trust"))
    assert not host.plugin("example_claim").built_in
    assert host.plugin("example_claim").state is PluginState.NEEDS_CONSENT
    assert host.plugin("studio_onnx").built_in
    assert host.plugin("studio_onnx").folder.parent != site


def test_a_package_called_like_a_built_in_is_not_imported_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "studio_metrics"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('it ran')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "studio_metrics"]:
        monkeypatch.delitem(sys.modules, name)
    host = PluginHost.discover(tmp_path / "none", Trust(tmp_path / "trust"))
    with pytest.raises(Unavailable, match="that did not come with the studio"):
        host.get(Extension.METRIC, "top1")


def test_digest_sees_names_and_contents_and_no_cache(tmp_path: Path) -> None:
    make(tmp_path, "example_one")
    folder = tmp_path / "example_one"
    before = content_digest(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "metric.cpython-311.pyc").write_bytes(b"x")
    assert content_digest(folder) == before
    (folder / "metric.py").rename(folder / "metrics.py")
    assert content_digest(folder) != before


def test_a_link_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "plugins", "example_link")
    (tmp_path / "elsewhere.py").write_text("x = 1\n")
    (tmp_path / "plugins" / "example_link" / "more.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(ManifestError, match="is a link"):
        content_digest(tmp_path / "plugins" / "example_link")
    host = PluginHost.discover(tmp_path / "plugins", Trust(tmp_path / "trust"))
    assert state_of(host, "example_link")[0] is PluginState.BROKEN


def test_a_factory_outside_the_own_files_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "plugins", "example_outside")
    manifest = tmp_path / "plugins" / "example_outside" / "plugin.toml"
    manifest.write_text(manifest.read_text().replace("example_outside.metric:", "os.path:"))
    host = PluginHost.discover(tmp_path / "plugins", Trust(tmp_path / "trust"))
    state, reason = state_of(host, "example_outside")
    assert state is PluginState.BROKEN
    assert "lies outside" in reason


def test_cached_bytecode_that_nobody_looked_at_is_not_run(places: tuple[Path, Trust]) -> None:
    folder, trust = places
    source = folder / "example_alien" / "metric.py"
    honest = source.read_text()
    source.write_text("class Metric:\n    id = 'z'\n")  # as long as the honest one
    cached = py_compile.compile(str(source))
    assert cached is not None
    stamp = source.stat()
    source.write_text(honest)
    assert len(honest) == stamp.st_size
    import os

    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    trust.allow("example_alien", content_digest(folder / "example_alien"))
    assert PluginHost.discover(folder, trust).get(Extension.METRIC, "m").id == "m"


def test_a_plugin_never_stands_in_for_a_built_in(tmp_path: Path) -> None:
    make(tmp_path / "plugins", "aaa_first")
    manifest = tmp_path / "plugins" / "aaa_first" / "plugin.toml"
    text = manifest.read_text().replace('id = "m"', 'id = "top1"')
    text += '[[platforms]]\nid = "ssh"\nschemes = ["ssh"]\nfactory = "aaa_first.metric:Metric"\n'
    manifest.write_text(text)
    trust = Trust(tmp_path / "trust")
    trust.allow("aaa_first", content_digest(manifest.parent))
    host = PluginHost.discover(tmp_path / "plugins", trust)
    assert state_of(host, "aaa_first")[0] is PluginState.AVAILABLE
    assert host.find(Extension.METRIC, "top1").plugin == "studio_metrics"
    answering = host.answering("ssh")
    assert answering is not None
    assert answering.plugin == "studio_ssh"


def test_a_plugin_named_like_a_library_is_found_in_its_own_folder(tmp_path: Path) -> None:
    make(tmp_path / "plugins", "shelve", code="class Metric:\n    id = 'own'\n")
    trust = Trust(tmp_path / "trust")
    trust.allow("shelve", content_digest(tmp_path / "plugins" / "shelve"))
    try:
        assert (
            PluginHost.discover(tmp_path / "plugins", trust).get(Extension.METRIC, "m").id == "own"
        )
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("shelve.nothing")
    finally:
        forget("shelve")


def test_safe_mode_leaves_the_built_ins_alone(
    places: tuple[Path, Trust], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, trust = places
    trust.allow("example_alien", content_digest(folder / "example_alien"))
    monkeypatch.setenv(SAFE_VARIABLE, "1")
    host = PluginHost.discover(folder, trust)
    assert state_of(host, "example_alien") == (
        PluginState.OFF,
        "this is the safe mode, without plugins.",
    )
    assert {plugin.id for plugin in host.plugins if plugin.state is PluginState.AVAILABLE} >= {
        "studio_onnx",
        "studio_local",
    }


def test_the_third_crash_switches_off_until_allowed_or_changed(places: tuple[Path, Trust]) -> None:
    folder, trust = places
    digest = content_digest(folder / "example_alien")
    trust.allow("example_alien", digest)
    host = PluginHost.discover(folder, trust)
    ended = [host.note_crash("example_alien", f"crash {n}.") for n in range(MOST_CRASHES)]
    assert ended == [False] * (MOST_CRASHES - 1) + [True]
    state, reason = state_of(PluginHost.discover(folder, trust), "example_alien")
    assert state is PluginState.OFF
    assert "it crashed 3 times, the last time: crash 2;" in reason
    trust.allow("example_alien", digest)
    assert state_of(PluginHost.discover(folder, trust), "example_alien")[0] is PluginState.AVAILABLE
    assert trust.of("example_alien").crashes == 0


def test_crashes_of_other_files_do_not_count(places: tuple[Path, Trust]) -> None:
    _, trust = places
    assert [trust.note_crash("x", digest, "no") for digest in "aab"] == [1, 2, 1]


def test_a_built_in_is_not_switched_off_by_crashes(places: tuple[Path, Trust]) -> None:
    folder, trust = places
    host = PluginHost.discover(folder, trust)
    assert not any(host.note_crash("studio_onnx", "a hostile file") for _ in range(5))
    assert not trust.standings()


def test_a_damaged_file_of_decisions_means_that_nothing_was_agreed_to(
    places: tuple[Path, Trust],
) -> None:
    folder, trust = places
    trust.allow("example_alien", content_digest(folder / "example_alien"))
    (folder.parent / "trust" / "plugins.json").write_text('{"example_alien": {"agreed": 1')
    assert (
        state_of(PluginHost.discover(folder, trust), "example_alien")[0]
        is PluginState.NEEDS_CONSENT
    )


def test_the_culprit_is_whose_code_raised(places: tuple[Path, Trust]) -> None:
    folder, trust = places
    code = "class Metric:\n    id = 'm'\n    def score(self, call):\n        return call()\n"
    (folder / "example_alien" / "metric.py").write_text(code)
    trust.allow("example_alien", content_digest(folder / "example_alien"))
    metric = PluginHost.discover(folder, trust).get(Extension.METRIC, "m")
    assert culprit(_raised(lambda: metric.score(lambda: int("x")))) == "example_alien"
    # What a library raises is whose code called it; a defect of the studio's own is the studio's.
    assert culprit(_raised(lambda: metric.score(lambda: replace(1)))) == "example_alien"
    assert culprit(_raised(lambda: metric.score(lambda: content_digest(None)))) == ""
    assert culprit(_raised(lambda: 1 / 0)) == ""


def _raised(call: object) -> Exception:
    try:
        call()  # type: ignore[operator]
    except Exception as error:
        return error
    raise AssertionError("it did not fail")


def test_what_was_looked_at_is_what_is_agreed_to(studio_home: Path) -> None:
    make(studio_home / "config" / "plugins", "example_alien")
    with Workspace.open(studio_home) as workspace:
        seen = workspace.plugins.plugin("example_alien")
        (seen.folder / "metric.py").write_text("import os\n")
        with pytest.raises(Refused, match="have changed since you reviewed"):
            workspace.allow_plugin("example_alien", seen.digest)
        assert workspace.plugins.plugin("example_alien").state is PluginState.NEEDS_CONSENT
        seen = workspace.plugins.plugin("example_alien")
        workspace.allow_plugin("example_alien", seen.digest)
        assert workspace.plugins.plugin("example_alien").state is PluginState.AVAILABLE
        workspace.forbid_plugin("example_alien")
        assert workspace.plugins.plugin("example_alien").state is PluginState.OFF
