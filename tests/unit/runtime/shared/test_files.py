"""Durable files, the journal's chain, the state file, the lease."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from studio.runtime.release.store import lease, state
from studio.runtime.release.store.layout import Layout, checked_digest
from studio.runtime.release.store.state import ReleaseState
from studio.runtime.shared.chained_log import Journal
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.files import (
    append_line,
    digest_of,
    link_or_copy,
    plain_name,
    point,
    remove,
    write_atomically,
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "root")
    made.make()
    return made


def test_a_failed_write_leaves_the_old_content_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state"
    write_atomically(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["state"]


def test_a_link_changes_in_one_step_and_keeps_no_rest(tmp_path: Path) -> None:
    link = tmp_path / "current"
    for target in ("releases/a", "releases/b"):
        point(link, target)
        assert os.readlink(link) == target
    assert [entry.name for entry in tmp_path.iterdir()] == ["current"]


def test_links_fall_back_to_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "blob"
    source.write_bytes(b"content")
    link_or_copy(source, tmp_path / "linked")
    assert (tmp_path / "linked").stat().st_ino == source.stat().st_ino

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    link_or_copy(source, tmp_path / "copied")
    assert digest_of(tmp_path / "copied") == digest_of(source)
    assert (tmp_path / "copied").stat().st_ino != source.stat().st_ino


def test_remove_takes_links_not_what_they_point_to(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    remove(tmp_path / "link")
    assert folder.is_dir()
    remove(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "good"),
    [("a", True), ("a/b.c", True), ("../a", False), ("a/..", False), ("/a", False), ("a/", False)],
)
def test_plain_names(name: str, good: bool) -> None:
    assert plain_name(name) is good


def test_only_digests_become_file_names() -> None:
    assert checked_digest("a" * 64)
    for text in ("", "a" * 63, "A" * 64, "../" + "a" * 61, "g" * 64):
        with pytest.raises(ReleaseError, match="is not a SHA-256"):
            checked_digest(text)


def test_the_journal_chains_and_finds_what_was_altered(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log.jsonl")
    for number in range(5):
        journal.append("release", number=number)
    assert [entry["number"] for entry in journal.entries()] == [0, 1, 2, 3, 4]
    assert journal.broken_at() == 0
    lines = (tmp_path / "log.jsonl").read_bytes().splitlines(keepends=True)
    altered = [*lines[:2], lines[2].replace(b'"number":2', b'"number":9'), *lines[3:]]
    for content, broken in (
        (b"".join(altered), 3),
        (b"".join(lines[1:]), 1),
        (b"".join([*lines[:1], *lines[2:]]), 2),
        (b"".join([*lines[:3], b"garbage\n", *lines[3:]]), 4),
    ):
        (tmp_path / "log.jsonl").write_bytes(content)
        assert journal.broken_at() == broken


@pytest.mark.parametrize("cut", [1, 10, 50])
def test_a_torn_last_line_is_no_entry(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path / "log.jsonl")
    journal.append("first")
    journal.append("second")
    content = (tmp_path / "log.jsonl").read_bytes()
    (tmp_path / "log.jsonl").write_bytes(content[:-cut])
    journal.append("third")
    assert [entry["event"] for entry in journal.entries()] == ["first", "third"]
    assert journal.broken_at() == 0


def test_a_damaged_state_is_made_again_from_the_link(layout: Layout) -> None:
    point(layout.current, "releases/" + "a" * 64)
    layout.state.write_text("{")
    assert state.load(layout) == ReleaseState(current="a" * 64)
    saved = ReleaseState(phase=state.PROBE, pending="b" * 64, counter=7, history=({"version": 1},))
    state.save(layout, saved)
    assert state.load(layout) == saved
    layout.state.write_text(json.dumps({"phase": "dancing"}))
    assert state.load(layout).current == "a" * 64


def test_one_operator_at_a_time(layout: Layout) -> None:
    token = lease.acquire(layout, "ann")
    lease.renew(layout, token)
    with pytest.raises(ReleaseError, match="ann is deploying to this target"):
        lease.acquire(layout, "bob")
    with pytest.raises(ReleaseError, match="ann is deploying"):
        lease.refuse_others(layout, "bob")
    # The same person takes over what an interrupted deploy left, and the old one notices.
    again = lease.acquire(layout, "ann")
    with pytest.raises(ReleaseError, match="taken over"):
        lease.renew(layout, token)
    lease.give_back(layout, token)
    lease.renew(layout, again)
    lease.give_back(layout, again)
    lease.acquire(layout, "bob")


@pytest.mark.parametrize("expires", [-1.0, lease.LEASE_S + 60])
def test_a_lease_ends_even_when_the_clock_was_set_back(layout: Layout, expires: float) -> None:
    held = {"owner": "ann", "token": "t", "expires": time.time() + expires}
    layout.lease.write_text(json.dumps(held))
    assert lease.acquire(layout, "bob")


def test_the_lock_goes_with_a_killed_process(layout: Layout) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from studio.runtime.release.store import lease\n"
        "from studio.runtime.release.store.layout import Layout\n"
        "with lease.locked(Layout(Path(sys.argv[1]))):\n"
        "    print('locked', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(layout.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        holder.kill()
        holder.wait()
    with lease.locked(layout):
        pass


@pytest.mark.parametrize(("number", "is_written"), [(errno.EINVAL, True), (errno.EIO, False)])
def test_a_share_that_flushes_no_folders_is_written_to(
    number: int, is_written: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = os.fsync

    def of_the_share(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))
        flush(handle)

    monkeypatch.setattr(os, "fsync", of_the_share)
    with nullcontext() if is_written else pytest.raises(OSError, match=os.strerror(number)):
        write_atomically(tmp_path / "report.html", b"<html>")


def test_a_line_goes_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    append_line(path, b"one")
    append_line(path, b"two")
    assert path.read_bytes() == b"one\ntwo\n"
    path.write_bytes(b"torn")
    append_line(path, b"three")
    assert path.read_bytes() == b"torn\nthree\n"
