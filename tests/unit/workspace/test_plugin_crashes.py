"""Plugins that fail in a real worker: named, counted, switched off, and switched on again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.api import TargetSpec
from studio.plugin_host import PluginState
from studio.workspace import JobOutcome, Workspace

MANIFEST = """
id = "example_rocket"
name = "Rockets"
version = "1"
api = 1
permissions = ["network"]
[[targets]]
id = "rocket"
title = "Rocket"
schemes = ["rocket"]
factory = "example_rocket.target:Rocket"
"""
CODE = """
import os
from studio.api import TargetError
class Rocket:
    id, title, schemes, options = "rocket", "Rocket", ("rocket",), ()
    def connect(self, target, progress):
        {does}
    def default_root(self, target):
        return "/"
"""


@pytest.fixture
def place(studio_home: Path) -> Path:
    folder = studio_home / "config" / "plugins" / "example_rocket"
    folder.mkdir(parents=True)
    (folder / "plugin.toml").write_text(MANIFEST)
    (folder / "__init__.py").write_text("")
    return folder


def write(workspace: Workspace, place: Path, does: str) -> None:
    """Let the plugin do something at its next contact, with the user's consent."""
    (place / "target.py").write_text(CODE.format(does=does))
    workspace.__dict__.pop("plugins", None)
    agree(workspace)


def agree(workspace: Workspace) -> None:
    workspace.allow_plugin("example_rocket", workspace.plugins.plugin("example_rocket").digest)


def probe(workspace: Workspace) -> JobOutcome:
    workspace.add_target(TargetSpec("r", "rocket:1"))
    return workspace.run("target-probe", target="r")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("return {}['no such']", "The plugin example_rocket failed: 'no such'."),
        ("os.kill(os.getpid(), 11)", "by SIGSEGV while it used the plugin example_rocket."),
        ("os._exit(3)", "by an unknown cause while it used the plugin example_rocket."),
    ],
)
def test_the_third_crash_switches_it_off(
    studio_home: Path, place: Path, does: str, words: str
) -> None:
    with Workspace.open(studio_home) as workspace:
        write(workspace, place, does)
        for _ in range(3):
            assert workspace.plugins.plugin("example_rocket").state is PluginState.AVAILABLE
            outcome = probe(workspace)
            assert outcome.plugin == "example_rocket"
            assert words in outcome.sentence
            assert workspace.plugins.plugin("example_rocket").word != "available"
        plugin = workspace.plugins.plugin("example_rocket")
        assert plugin.state is PluginState.OFF
        assert "it crashed 3 times" in plugin.reason
        assert "it crashed 3 times" in probe(workspace).sentence
        agree(workspace)
        assert words in probe(workspace).sentence


@pytest.mark.slow
def test_a_refusal_in_a_sentence_is_no_crash(studio_home: Path, place: Path) -> None:
    with Workspace.open(studio_home) as workspace:
        write(workspace, place, "raise TargetError('It is in space.')")
        for _ in range(4):
            assert probe(workspace).sentence == "It is in space."
        assert workspace.plugins.plugin("example_rocket").state is PluginState.AVAILABLE


def test_without_consent_its_scheme_says_so(studio_home: Path, place: Path) -> None:
    (place / "target.py").write_text("raise SystemExit('it was imported')\n")
    with Workspace.open(studio_home) as workspace:
        outcome = probe(workspace)
    assert "Rocket is not available: no consent yet" in outcome.sentence
    assert not outcome.plugin


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize(
    ("permissions", "network", "files"),
    [
        ("[]", False, False),
        ('["network"]', True, False),
        ('["network", "home"]', True, True),
    ],
)
def test_a_targets_worker_reaches_what_was_agreed_to(
    studio_home: Path, place: Path, tmp_path: Path, permissions: str, network: bool, files: bool
) -> None:
    (tmp_path / "private").write_text("a key")  # below /tmp, which walls hide like a home
    manifest = MANIFEST.replace('["network"]', permissions)
    (place / "plugin.toml").write_text(manifest)
    own = os.stat("/proc/self/ns/net").st_ino
    network_is_ours = f"os.stat('/proc/self/ns/net').st_ino == {own}"
    seen = f"os.path.exists({str(tmp_path / 'private')!r})"
    does = f'raise TargetError(f"network {{{network_is_ours}}} files {{{seen}}}")'
    with Workspace.open(studio_home) as workspace:
        if workspace.sandbox.value != "full":
            end = pytest.fail if os.environ.get("CI") else pytest.skip
            end("bubblewrap cannot make walls on this machine")
        write(workspace, place, does)
        assert probe(workspace).sentence == f"network {network} files {files}"
