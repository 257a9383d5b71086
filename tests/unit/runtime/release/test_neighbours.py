"""Endpoints of one target: each takes the files of the others that are whole, and keeps them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from studio.deployment.machine.release_client import TAKE
from studio.runtime.release.board import Board
from studio.runtime.release.cleanup import collect
from studio.runtime.release.intake.receive import lacking
from studio.runtime.release.store.layout import ENDPOINTS, MARKER, Layout
from studio.targets import inventory

CONTENT = b"a wheel of numpy " * 1000
DIGEST = sha256(CONTENT).hexdigest()


@pytest.fixture
def roof(tmp_path: Path) -> Layout:
    """The target's own endpoint, which has received a file."""
    layout = Layout(tmp_path / "roof")
    layout.make()
    layout.blob(DIGEST).write_bytes(CONTENT)
    return layout


@pytest.fixture
def door(roof: Layout) -> Layout:
    layout = Layout(roof.root / ENDPOINTS / "door")
    layout.make()
    return layout


def missing(layout: Layout) -> bool:
    return DIGEST in lacking(layout, {"blobs": {DIGEST: len(CONTENT)}}).missing


@pytest.mark.parametrize("order", [0, 1])
def test_a_file_of_another_endpoint_stays_after_a_purge(
    roof: Layout, door: Layout, order: int
) -> None:
    assert not missing(door)
    assert door.blob(DIGEST).samefile(roof.blob(DIGEST)), "one file, with a name for each"
    purged, other = (roof, door)[:: 1 - 2 * order]
    collect(Board(purged, "ann@desk"))
    assert not purged.blob(DIGEST).exists()
    assert other.blob(DIGEST).read_bytes() == CONTENT
    assert not missing(purged), "it comes back from the other endpoint"


def _half(path: Path) -> None:
    os.truncate(path, len(CONTENT) // 2)


def _altered(path: Path) -> None:
    path.write_bytes(CONTENT[:-1] + b"!")


def _elsewhere(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _of_another_user(path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root gives files away")
    os.chown(path, 65534, 65534)


@pytest.mark.parametrize("spoil", [_half, _altered, _elsewhere, _pipe, _of_another_user])
def test_a_damaged_or_foreign_file_is_sent_again(
    roof: Layout, door: Layout, spoil: Callable[[Path], None]
) -> None:
    spoil(roof.blob(DIGEST))
    assert missing(door)
    assert list(door.blobs.iterdir()) == list(door.incoming.iterdir()) == []


@pytest.mark.parametrize(
    "record", ["{", "[]", '{"wheels": ["old"]}', '{"blobs": 5}', '{"blobs": [{}]}', None]
)
def test_a_record_without_wheels_keeps_none(
    roof: Layout, monkeypatch: pytest.MonkeyPatch, record: str | None
) -> None:
    """An environment of an earlier runtime, or a damaged one."""
    serve_from(roof, record, monkeypatch)
    collect(Board(roof, "ann@desk"))
    assert not roof.blob(DIGEST).exists()


def test_the_wheels_of_an_environment_in_use_stay(
    roof: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_from(roof, json.dumps({"blobs": [DIGEST]}), monkeypatch)
    collect(Board(roof, "ann@desk"))
    assert roof.blob(DIGEST).exists()


def serve_from(layout: Layout, record: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a server's environment with a record."""
    folder = layout.environment("e" * 64)
    folder.mkdir()
    if record is not None:
        (folder / MARKER).write_text(record)

    class Running:
        started = SimpleNamespace(env=folder.name, runtime="")

        def __init__(self, _: Layout) -> None:
            pass

        def runs(self) -> bool:
            return True

    monkeypatch.setattr("studio.runtime.release.cleanup.Server", Running)


def test_names_of_nearby_files_are_listed_and_no_others(roof: Layout, door: Layout) -> None:
    (roof.blobs / 'x\nstate\n{"current": "evil"}').write_text("")
    (roof.runtimes / "a.pyz").write_text("")
    command = ["sh", "-c", inventory.SCRIPT, "sh", str(door.root)]
    listed = inventory.parse(subprocess.run(command, capture_output=True, text=True).stdout)
    assert listed.nearby == {DIGEST, "a.pyz"}
    assert (listed.blobs, listed.current) == (frozenset(), "")


@pytest.mark.parametrize("spoil", [None, _half, _altered])
def test_a_whole_runtime_alone_is_copied(
    roof: Layout, door: Layout, spoil: Callable[[Path], None] | None
) -> None:
    runtime = roof.runtime(DIGEST)
    runtime.write_bytes(CONTENT)
    if spoil is not None:
        spoil(runtime)
    done = subprocess.run(["sh", "-c", TAKE, "sh", str(door.root), DIGEST])
    assert (done.returncode == 0) == (spoil is None)
    assert list(door.runtimes.iterdir()) == ([] if spoil else [door.runtime(DIGEST)])
