"""Figures of a stranger's folder: files inside of it alone, and no value that breaks the check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.features.evidence.recompute import EvidenceFolder, checked
from studio.features.evidence.results import DIFFERS, NOT_POSSIBLE, RECOMPUTED, Figure


@pytest.fixture
def folder(tmp_path: Path) -> EvidenceFolder:
    for place in (tmp_path / "secret.json", tmp_path / "in" / "a.json"):
        place.parent.mkdir(exist_ok=True)
        place.write_text(json.dumps({"n": 7, "rows": [{"k": 1}, {"k": 2}]}))
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    return EvidenceFolder(tmp_path / "in")


def figure(file: str, place: object, method: str = "field") -> Figure:
    return Figure("f", "F", 7.0, file=file, method=method, arguments={"place": place})


def test_a_field_is_read_from_its_record(folder: EvidenceFolder) -> None:
    assert checked(folder, figure("a.json", ["n"])).state == RECOMPUTED


@pytest.mark.parametrize("name", ["../secret.json", "/etc/passwd", "up/secret.json", ""])
def test_no_figure_reads_a_file_outside_the_folder(folder: EvidenceFolder, name: str) -> None:
    found = checked(folder, figure(name, ["n"]))
    assert found.state == NOT_POSSIBLE
    assert found.found is None


@pytest.mark.parametrize(
    ("place", "method"),
    [(5, "field"), ([{}], "field"), (["rows"], "field"), (["n"], "number"), (["x"], "latency")],
)
def test_arguments_that_fit_nothing_make_a_difference(
    folder: EvidenceFolder, place: object, method: str
) -> None:
    assert checked(folder, figure("a.json", place, method)).state in (DIFFERS, NOT_POSSIBLE)


def test_an_unknown_method_is_not_possible(folder: EvidenceFolder) -> None:
    assert checked(folder, figure("a.json", ["n"], "magic")).state == NOT_POSSIBLE
