"""The history of a target: chained there and here, and what is said when either was altered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.deployment.history import TargetHistory, judged
from studio.deployment.results import LogHead
from studio.documents.dataclass_json import to_json
from studio.runtime.shared import chained_log as journals
from studio.runtime.shared.chained_log import Journal
from studio.runtime.shared.log_segments import KEPT


@pytest.fixture
def board(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    for version in range(1, 5):
        Journal(path).append("release", version=version, state="active", owner="ann@desk")
    return path


def verdict(path: Path, history: TargetHistory) -> dict[str, Any]:
    entries = Journal(path).entries()
    return dict(to_json(judged("roof", entries, history.anchors("roof"), history.chain())))


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def anchored(path: Path, folder: Path) -> TargetHistory:
    history = TargetHistory(folder)
    history.add("roof", "d" * 64, "serving", "ann@desk", LogHead(**Journal(path).stand()))
    history.add("cellar", "d" * 64, "serving", "ann@desk", LogHead(9, "x"))
    return history


def test_a_whole_history(board: Path, tmp_path: Path) -> None:
    history = anchored(board, tmp_path / "registry")
    Journal(board).append("stopped", owner="bob@den")
    found = verdict(board, history)
    assert (found["whole"], found["problem"], found["entries"], found["anchors"]) == (
        True,
        "",
        5,
        1,
    )
    assert found["changes"][0]["event"] == "stopped"


def test_an_altered_entry(board: Path, tmp_path: Path) -> None:
    history = anchored(board, tmp_path / "registry")
    board.write_bytes(board.read_bytes().replace(b'"version":2', b'"version":9'))
    assert verdict(board, history)["problem"] == "Entry 2 of the history of roof was altered."
    board.write_bytes(b"noise\n" + b"".join(lines(board)[1:]))
    assert verdict(board, history)["problem"] == "Entry 1 of the history of roof was altered."


def test_an_entry_that_was_taken_out(board: Path, tmp_path: Path) -> None:
    whole = lines(board)
    board.write_bytes(b"".join(whole[:1] + whole[2:]))
    assert verdict(board, TargetHistory(tmp_path / "r"))["problem"].startswith(
        "Entry 2 of the history"
    )


def test_an_end_that_was_cut_off_is_known_here_alone(board: Path, tmp_path: Path) -> None:
    history = anchored(board, tmp_path / "registry")
    board.write_bytes(b"".join(lines(board)[:2]))
    assert verdict(board, TargetHistory(tmp_path / "another"))["whole"] is True
    assert "was truncated: it had 4 entries, now 2" in verdict(board, history)["problem"]


def test_a_chain_that_was_made_anew(board: Path, tmp_path: Path) -> None:
    history = anchored(board, tmp_path / "registry")
    board.unlink()
    for version in range(1, 6):
        Journal(board).append("release", version=version + 1, state="active", owner="ann@desk")
    assert "was replaced: entry 4 differs" in verdict(board, history)["problem"]


def test_the_registry_is_a_chain_as_well(board: Path, tmp_path: Path) -> None:
    history = anchored(board, tmp_path / "registry")
    path = tmp_path / "registry" / "history.jsonl"
    entries = [json.loads(line) for line in lines(path)]
    entries[0]["by"] = "nobody"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    assert "the local registry's history was altered" in verdict(board, history)["problem"]


def sealed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, parts: int
) -> tuple[Journal, TargetHistory]:
    """A board's record in so many sealed parts, each of its entries anchored here."""
    monkeypatch.setattr(journals, "SEAL_BYTES", 1000)
    folder.mkdir(exist_ok=True)
    board, history = (
        Journal(folder / "log.jsonl", folder / "log"),
        TargetHistory(folder / "registry"),
    )
    while not (folder / "log" / f"{parts:06d}.jsonl").exists():
        board.append("release", version=1, state="active", owner="ann@desk")
        history.add("roof", "d" * 64, "serving", "ann@desk", LogHead(**board.stand()))
    return board, history


def judge(board: Journal, history: TargetHistory) -> dict[str, Any]:
    entries = board.entries()
    return dict(to_json(judged("roof", entries, history.anchors("roof"), history.chain())))


def test_a_history_in_sealed_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board, history = sealed(tmp_path, monkeypatch, KEPT + 3)
    found = judge(board, history)
    assert (found["whole"], found["problem"]) == (True, "")
    assert found["entries"] == board.stand()["entries"] > found["dropped"] > 0


def test_a_sealed_part_that_was_dropped_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, history = sealed(tmp_path, monkeypatch, 3)
    content = (tmp_path / "log" / "000002.jsonl").read_bytes()
    first = json.loads(content.splitlines()[0])["before"] + 1
    last = first + content.count(b"\n") - 1
    (tmp_path / "log" / "000002.jsonl").unlink()
    said = f"Entries {first} to {last} of the history of roof are missing."
    assert judge(board, history)["problem"] == said


def test_parts_that_were_made_anew_do_not_fit_what_is_known_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, history = sealed(tmp_path / "one", monkeypatch, 3)
    another, _ = sealed(tmp_path / "two", monkeypatch, 4)
    assert "was replaced: entry 1 differs" in judge(another, history)["problem"]


def test_the_end_of_sealed_parts_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board, history = sealed(tmp_path, monkeypatch, 3)
    (tmp_path / "log.jsonl").unlink()
    assert "was truncated" in judge(board, history)["problem"]
