"""Requests answered by an earlier release as well: what is asked for, and what is alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.runtime.serve.engine.served_model import load
from studio.runtime.serve.engine.source import from_bundle
from studio.runtime.serve.outputs.agreement import alike
from studio.runtime.serve.quality.shadow import ShadowComparison
from studio.runtime.shared.trial_request import FILE, TrialRequest, wish_for
from tests.rigs.boards import until
from tests.rigs.bundles import make_bundle

OLD, NEW = "a" * 64, "b" * 64


def root(folder: Path, wish: TrialRequest) -> Path:
    """A root of releases with a wish; the place of the model on trial."""
    (folder / "run").mkdir()
    (folder / "run" / FILE).write_bytes(wish.content())
    return folder / "releases" / NEW / "model.onnx"


def test_a_wish_is_found_for_the_release_that_it_is_of(tmp_path: Path) -> None:
    path = root(tmp_path, TrialRequest(NEW, OLD, 1.1))
    assert wish_for(path, NEW) == (TrialRequest(NEW, OLD, 1.1), tmp_path / "releases" / OLD)
    assert wish_for(path, OLD) is None
    assert wish_for(tmp_path / "model.onnx", NEW) is None


@pytest.mark.parametrize("name", ["../../etc", "/etc", "A" * 64, "a" * 63, ""])
def test_a_wish_for_another_folder_is_none(tmp_path: Path, name: str) -> None:
    assert wish_for(root(tmp_path, TrialRequest(NEW, name, 1.1)), NEW) is None


def test_answers_that_say_the_same() -> None:
    scores = np.array([[1.0, 3.0, 2.0]], np.float32)
    assert alike(scores, scores + 0.4)
    assert not alike(scores, np.roll(scores, 1, axis=1))
    boxes = np.ones((1, 5, 4), np.float32)
    assert alike(boxes, boxes * 1.05)
    assert not alike(boxes, boxes * 1.2)
    assert not alike(boxes, boxes[:, :3])
    assert not alike(boxes * np.nan, boxes)
    assert alike(np.array(["a"], object), np.array(["a"], object))


def test_two_versions_are_compared_beside_the_requests(tmp_path: Path) -> None:
    one, two = make_bundle(tmp_path / "1", 1), make_bundle(tmp_path / "2", 2)
    model = load(from_bundle(two.folder))
    mirror = ShadowComparison(model, TrialRequest(two.digest, one.digest, 1.1), one.folder)
    draws = np.random.default_rng(1)
    outputs = list(model.outputs)

    def enough() -> bool:
        picture = draws.random((1, 3, 16, 16), np.float32)
        model.session.run({"image": picture}, outputs)
        return mirror.compared >= 20 and mirror.race.stretches >= 2

    until(enough, "twenty comparisons and their times", 60.0)
    told = mirror.status()
    mirror.end()
    assert told["fault"] == ""
    assert told["slower"] <= told["timed"] == mirror.race.stretches
    assert told["ratio"] > 0.0
    assert told["agreed"] < told["compared"]  # weights of their own
    assert model.session.watch is None


def test_a_trial_without_clients_compares_golden_samples_once_each(tmp_path: Path) -> None:
    one, two = make_bundle(tmp_path / "1", 1), make_bundle(tmp_path / "2", 2)
    model = load(from_bundle(two.folder))
    wish = TrialRequest(two.digest, one.digest, 1.1, golden=True)
    mirror = ShadowComparison(model, wish, one.folder)
    samples = len(list((two.folder / "golden").glob("*.npz")))
    until(lambda: mirror.race.stretches >= 2, "passes over the golden samples", 60.0)
    told = mirror.status()
    mirror.end()
    assert told["fault"] == ""
    assert told["golden"] == told["compared"] == samples > 0
    assert told["agreed"] < samples  # weights of their own


def test_after_a_trial_the_answers_alone_are_compared(tmp_path: Path) -> None:
    """With an interval, and for no more of a core than was asked for."""
    one, two = make_bundle(tmp_path / "1", 1), make_bundle(tmp_path / "2", 2, seed=1)
    model = load(from_bundle(two.folder))
    mirror = ShadowComparison(
        model, TrialRequest(two.digest, one.digest, 1.0, 0.5, False), one.folder
    )
    draws = np.random.default_rng(1)
    outputs = list(model.outputs)

    def enough() -> bool:
        picture = draws.random((1, 3, 16, 16), np.float32)
        same = mirror.compared > 2 * mirror.repeated
        model.session.run({"image": np.ones_like(picture) if same else picture}, outputs)
        return mirror.compared >= 10 and mirror.repeated >= 2

    until(enough, "ten comparisons, and the same again", 60.0)
    told = mirror.status()
    mirror.end()
    assert told["repeated"] == mirror.repeated
    assert (told["agreed"], told["timed"], told["trial"]) == (told["compared"], 0, False)
    assert 0.6 < told["low"] < told["high"] == 1.0


def test_a_share_without_sense_is_no_wish(tmp_path: Path) -> None:
    path = root(tmp_path, TrialRequest(NEW, OLD, 1.0, 3.0))
    assert wish_for(path, NEW) is None


def test_a_release_that_cannot_be_run_beside_is_a_fault_and_no_harm(tmp_path: Path) -> None:
    two = make_bundle(tmp_path / "2", 2)
    model = load(from_bundle(two.folder))
    mirror = ShadowComparison(model, TrialRequest(two.digest, OLD, 1.1), tmp_path / "nowhere")
    until(lambda: bool(mirror.fault), "a fault", 20.0)
    model.session.run({"image": np.zeros((1, 3, 16, 16), np.float32)}, list(model.outputs))
    assert "cannot run next to this one" in mirror.status()["fault"]
    mirror.end()
