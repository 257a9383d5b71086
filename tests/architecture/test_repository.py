"""What the repository says of itself: locks, commands, licences of names and hosts."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import studio
from studio.plugin_host import read_manifest
from studio.plugin_host.environments.declaration import lock_problem

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


MADE = {".git", ".venv", "build", "dist", "__pycache__"}


def text_files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file of the checkout that is text, without what the make commands leave there."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in MADE and not path.name.endswith(("_cache", ".egg-info")):
                yield from text_files(path)
        elif b"\0" not in path.read_bytes()[:4096]:
            yield path


@pytest.mark.parametrize("name", LOCKS)
def test_lock_names_versions_and_hashes_and_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index" not in text
    entries = re.split(r"\n(?=[a-z0-9])", text.replace("\\\n", " "))
    entries = [entry for entry in entries if re.match(r"[a-z0-9]", entry)]
    assert len(entries) > 30
    for entry in entries:
        assert re.match(r"[a-z0-9.\-]+(\[[a-z,]+\])?==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


@pytest.mark.parametrize("lock", sorted((ROOT / "plugins").glob("*/requirements.lock")))
def test_locks_of_environments_hold_what_they_ask_for_and_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert lock_problem(text) == ""
    pinned = dict(re.findall(r"^([a-z0-9.\-]+)==([^\s;]+)", text, re.M))
    asked = re.findall(r"^([a-z0-9.\-]+)(?:==(\S+))?", lock.with_suffix(".in").read_text(), re.M)
    assert {name for name, _ in asked} == set(pinned)
    assert all(pinned[name] == version for name, version in asked if version)
    need = read_manifest(lock.parent / "plugin.toml").environment
    assert need is not None
    assert need.imports
    assert need.megabytes
    assert need.licences


def test_locks_agree() -> None:
    def versions(name: str) -> dict[str, str]:
        lines = re.findall(r"^([a-z0-9.\-]+)==([^\s;]+)", (ROOT / name).read_text(), re.M)
        return dict(lines)

    small, large = (versions(name) for name in LOCKS)
    assert small.items() <= large.items()
    assert {"hatchling", "editables"} <= set(small), "needed to install without a network"


def test_lock_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[^A-Za-z0-9\-]", text)[0].lower() for text in project["dependencies"]}
    locked = set(re.findall(r"^([a-z0-9.\-]+)==", (ROOT / LOCKS[0]).read_text(), re.M))
    assert wanted <= locked


def test_no_file_names_the_host_of_a_registry() -> None:
    # Split, so that this file does not name one either.
    hosts = ["pypi" + ".org", "python" + "hosted", "registry." + "npmjs", "deb.debian" + ".org"]
    guilty = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in text_files()
        for host in hosts
        if host in path.read_text(errors="replace")
    ]
    assert guilty == []


def test_readme_names_commands_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        named = set(re.findall(r"`make ([a-z-]+)", page.read_text()))
        assert named <= targets, page.name
    assert {"run", "test", "check"} <= set(
        re.findall(r"`make ([a-z-]+)", (ROOT / "README.md").read_text())
    )


def test_documents_link_to_files_that_exist() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_security_page_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert named
    for file, function in named:
        assert f"def {function}(" in (ROOT / file).read_text(), f"{file}::{function}"


def test_changelog_has_this_version() -> None:
    assert f"## {studio.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_installed_version_is_this_one() -> None:
    code = "import importlib.metadata as m; print(m.version('edgewright'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == studio.__version__
