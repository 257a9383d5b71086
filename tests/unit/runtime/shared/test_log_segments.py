"""The record of a target in sealed parts: bounded, one chain, and nothing can be taken out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from studio.runtime.release.store import state
from studio.runtime.release.store.latest_releases import to_json
from studio.runtime.release.store.layout import Layout
from studio.runtime.shared import chained_log as journals
from studio.runtime.shared import log_segments as segments
from studio.runtime.shared.chained_log import START, Journal, first_break, first_broken
from studio.runtime.shared.log_segments import KEPT

SEAL = 2000


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "SEAL_BYTES", SEAL)


def journal(folder: Path) -> Journal:
    return Journal(folder / "log.jsonl", folder / "log", lambda: {"counter": 7})


def grown(folder: Path, parts: int) -> Journal:
    """A record whose file is the part of that number."""
    made = journal(folder)
    number = 0
    while len(list((folder / "log").glob("*"))) < parts and number < 1000:
        made.append("release", version=number, owner="ann@desk")
        number += 1
        if (folder / "log" / f"{parts - 1:06d}.jsonl").exists():
            break
    return made


def files(folder: Path) -> list[Path]:
    """All parts, the oldest first."""
    return [*sorted((folder / "log").iterdir()), folder / "log.jsonl"]


def test_a_full_file_is_sealed_and_the_chain_goes_on(tmp_path: Path) -> None:
    made = grown(tmp_path, 4)
    found = made.entries()
    versions = [entry["version"] for entry in found if entry["event"] == "release"]
    assert versions == list(range(len(versions))), "nothing is lost at the seams"
    assert made.broken_at() == 0
    assert made.stand() == {"entries": len(found), "head": found[-1]["hash"]}
    begun = [entry for entry in found if entry["event"] == "continued"]
    assert [entry["segment"] for entry in begun] == [2, 3, 4]
    assert all(entry["counter"] == 7 for entry in begun)
    assert max(path.stat().st_size for path in files(tmp_path)) < SEAL + 400


def test_the_oldest_parts_go_and_the_count_stays(tmp_path: Path) -> None:
    made = grown(tmp_path, KEPT + 4)
    assert [path.name for path in files(tmp_path)][:-1] == [
        f"{number:06d}.jsonl" for number in range(4, KEPT + 4)
    ]
    found = made.entries()
    assert made.broken_at() == 0
    assert found[0]["event"] == "continued"
    assert made.stand()["entries"] == found[0]["before"] + len(found) > len(found)
    assert sum(path.stat().st_size for path in files(tmp_path)) < (KEPT + 1) * (SEAL + 400)


@pytest.mark.parametrize("parts", [3, KEPT + 4])
def test_a_part_that_is_taken_out_is_missed(tmp_path: Path, parts: int) -> None:
    made = grown(tmp_path, parts)
    for victim in files(tmp_path)[:-1]:
        content = victim.read_bytes()
        victim.unlink()
        assert made.broken_at(), f"{victim.name} is not missed"
        found = first_break(made.entries())
        assert found is not None
        assert found.missing >= content.count(b"\n")
        victim.write_bytes(content)
    assert made.broken_at() == 0


@pytest.mark.parametrize(
    "attack",
    [
        lambda lines: lines[:-1],
        lambda lines: lines[1:],
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: [*lines[:2], lines[2].replace(b"ann@desk", b"eve@desk"), *lines[3:]],
        lambda lines: [*lines[:2], *reversed(lines[2:])],
        lambda lines: [b"{}\n"],
    ],
)
def test_a_sealed_part_cannot_be_changed(
    tmp_path: Path, attack: Callable[[Sequence[bytes]], Sequence[bytes]]
) -> None:
    made = grown(tmp_path, 4)
    victim = files(tmp_path)[1]
    victim.write_bytes(b"".join(attack(victim.read_bytes().splitlines(keepends=True))))
    assert made.broken_at()


def test_a_part_in_the_place_of_another_is_noticed(tmp_path: Path) -> None:
    made = grown(tmp_path, 4)
    first, second = files(tmp_path)[:2]
    second.write_bytes(first.read_bytes())
    assert made.broken_at()


def test_a_record_that_pretends_to_begin_later_is_noticed(tmp_path: Path) -> None:
    """The file alone, with all sealed parts gone, is a chain of its own and yet no whole record."""
    made = grown(tmp_path, 4)
    alone = Journal(tmp_path / "log.jsonl").entries()
    for path in files(tmp_path)[:-1]:
        path.unlink()
    assert first_broken(made.entries()) == first_broken(alone) == 1


def test_each_part_is_whole_to_a_runtime_from_before(tmp_path: Path) -> None:
    """What it checked: each entry's own hash, and that of the one before, from the start on."""
    grown(tmp_path, 3)
    for path in files(tmp_path):
        last = START
        for line in path.read_bytes().splitlines():
            entry = json.loads(line)
            assert entry["previous"] == last
            last = entry["hash"]
    # It goes on appending to the file, however long, and the next runtime seals it.
    old, new = Journal(tmp_path / "log.jsonl"), journal(tmp_path)
    for number in range(30):
        old.append("release", version=number, owner="bob@den")
    assert new.broken_at() == 0
    new.append("release", version=31, owner="ann@desk")
    assert new.broken_at() == 0
    assert len(files(tmp_path)) == 4


def test_a_long_record_from_before_becomes_the_first_part(tmp_path: Path) -> None:
    old = Journal(tmp_path / "log.jsonl")
    for number in range(100):
        old.append("release", version=number)
    stand = old.stand()
    made = journal(tmp_path)
    assert made.stand() == stand
    made.append("stopped")
    assert made.broken_at() == 0
    assert made.entries()[99]["hash"] == stand["head"]
    assert made.stand()["entries"] == 102, "the entry that continues counts, too"


@pytest.mark.parametrize("left", ["sealed", "torn beginning", "torn end"])
def test_a_cut_between_two_parts(tmp_path: Path, left: str) -> None:
    made = grown(tmp_path, 2)
    count = made.stand()["entries"]
    if left == "torn end":
        with (tmp_path / "log.jsonl").open("ab") as file:
            file.write(b'{"event":"rel')
        (tmp_path / "log.jsonl").write_bytes((tmp_path / "log.jsonl").read_bytes() + b"x" * SEAL)
    else:
        (tmp_path / "log.jsonl").rename(tmp_path / "log" / "000002.jsonl")
        if left == "torn beginning":
            (tmp_path / "log.jsonl").write_bytes(b'{"before":')
    assert made.broken_at() == 0
    assert made.stand()["entries"] == count
    made.append("stopped")
    assert made.broken_at() == 0
    assert made.stand()["entries"] == count + 2


def test_what_dropped_parts_told_is_remembered(tmp_path: Path) -> None:
    """The state file is lost after the entry of the one release is long gone."""
    layout = Layout(tmp_path)
    layout.make()
    lines = {"cnn": {"counter": 5, "release": "c" * 64}}
    told = {"current": "c" * 64, "previous": "b" * 64, "counter": 5, "lines": lines}
    made = Journal(layout.log, layout.sealed, lambda: told)
    while not (layout.sealed / f"{KEPT + 2:06d}.jsonl").exists():
        made.append("started", release="c" * 64)
    found = state.load(layout)
    assert (found.current, found.counter, to_json(found.lines)) == ("c" * 64, 5, lines)


def test_the_folder_is_read_while_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, other = grown(tmp_path, 2), journal(tmp_path)
    real, pending = journals._entries, ["once"]

    def slow(path: Path) -> list[dict[str, object]]:
        if pending and path.name == "log.jsonl":
            pending.pop()
            while not (tmp_path / "log" / "000002.jsonl").exists():
                other.append("release", version=0)
            raise FileNotFoundError  # as it is when the file went away in between
        return real(path)

    monkeypatch.setattr(journals, "_entries", slow)
    assert first_broken(made.entries()) == 0


def test_the_bound_on_a_board() -> None:
    assert (segments.KEPT + 1) * segments.SEAL_BYTES < 2 << 20
