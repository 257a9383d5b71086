"""Which requests count as observations of their own."""

from __future__ import annotations

import numpy as np

from studio.runtime.release.trial.decision import Counts, TrialDecision, TrialRule, decision
from studio.runtime.release.trial.sequential import BAD, GOOD, OPEN
from studio.runtime.serve.quality.deduplication import REMEMBERED, Deduplicator


def scene(draws: np.random.Generator) -> np.ndarray:
    """A picture with large shapes, from 0 to 1."""
    rough = draws.random((1, 3, 6, 8)).astype(np.float32)
    return rough.repeat(4, axis=2).repeat(4, axis=3)


def test_a_scene_that_stays_is_one_observation() -> None:
    draws, novelty = np.random.default_rng(1), Deduplicator()
    for _ in range(3):
        picture = scene(draws)
        noisy = (picture + draws.normal(0, 0.02, picture.shape) for _ in range(50))
        found = [novelty.add({"image": one.astype(np.float32)}) for one in noisy]
        assert found == [True] + [False] * 49


def test_two_cameras_in_turns_are_two_scenes() -> None:
    draws, novelty = np.random.default_rng(2), Deduplicator()
    pair = scene(draws), scene(draws)
    assert sum(novelty.add({"image": pair[n % 2]}) for n in range(20)) == 2


def test_something_that_moves_is_new() -> None:
    draws, novelty = np.random.default_rng(3), Deduplicator()
    street = scene(draws)
    assert novelty.add({"image": street})
    street[:, :, 5:12, 10:17] = 1.0
    assert novelty.add({"image": street})


def test_small_inputs_are_the_same_only_when_all_of_them_is() -> None:
    novelty = Deduplicator()
    row = np.array([[5.1, 3.5, 1.4, 0.2]], np.float32)
    assert novelty.add({"row": row})
    assert not novelty.add({"row": row.copy()})
    assert novelty.add({"row": row + np.float32(1e-3)})
    assert novelty.add({"row": row.reshape(4, 1)})
    assert novelty.add({"text": np.array(["a"], object)})
    assert not novelty.add({"text": np.array(["a"], object)})


def test_what_is_no_number_counts_as_new_and_harms_nothing() -> None:
    novelty = Deduplicator()
    broken = {"image": np.full((1, 400), np.nan, np.float32)}
    assert novelty.add(broken)
    assert novelty.add(broken)
    assert novelty.add({"image": np.zeros((1, 400), np.uint8)})
    assert not novelty.add({"image": np.zeros((1, 400), np.uint8)})


def test_so_many_are_remembered_and_no_more() -> None:
    draws, novelty = np.random.default_rng(4), Deduplicator()
    first = {"image": scene(draws)}
    novelty.add(first)
    for _ in range(REMEMBERED):
        assert novelty.add({"image": scene(draws)})
    assert novelty.add(first)


def decided(seed: int, unlike: float, all_count: bool) -> str:
    """The rule over scenes of ten frames, of which a share is answered otherwise."""
    draws, quality, novelty = (
        np.random.default_rng(seed),
        TrialDecision(TrialRule(judge="agreement")),
        Deduplicator(),
    )
    events = of = 0
    for _ in range(400):
        picture, differs = scene(draws), bool(draws.random() < unlike)
        for _ in range(10):
            frame = picture + draws.normal(0, 0.02, picture.shape)
            if novelty.add({"image": frame.astype(np.float32)}) or all_count:
                events, of = events + differs, of + 1
            said = decision(quality.findings({"agreement": Counts(events, of)}))
            if said != OPEN:
                return said
    return OPEN


def test_a_camera_that_looks_at_one_scene_takes_no_good_version_back() -> None:
    """One scene in a hundred is answered otherwise: harmless, unless its frames count each."""
    assert [decided(seed, 0.01, False) for seed in range(10)] == [GOOD] * 10
    assert [decided(seed, 0.2, False) for seed in range(10)] == [BAD] * 10
    wrong = sum(decided(seed, 0.01, True) == BAD for seed in range(60))
    assert wrong >= 2, "frames that count each do no harm: nothing to guard against"
