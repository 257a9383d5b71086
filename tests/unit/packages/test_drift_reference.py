"""Which signals a model gets, and that its limits are those of chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.packages.drift_reference import FEWEST, chance_limit, reference_of
from studio.runtime.drift.signals import FrameSampler, names_of
from studio.runtime.serve.engine.served_model import load
from studio.runtime.serve.engine.source import from_bundle
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.drift.frames import frame, pictures, reference


def test_signals_of_a_classifier() -> None:
    names = [signal.name for signal in reference().signals]
    assert names[:3] == ["scores.confidence", "scores.margin", "scores.entropy"]
    assert {"image.brightness", "image.contrast", "image.sharpness", "image.axis 4"} <= {*names}
    assert len(names) <= 16


def test_bins_are_quantiles() -> None:
    for signal in reference(800).signals:
        assert len(signal.counts) == 10
        assert max(signal.counts) <= 1.2 * min(signal.counts)


def test_equal_data_give_equal_references() -> None:
    assert reference().to_json() == reference().to_json()


def test_too_few_frames_say_nothing() -> None:
    assert reference_of(frame(one) for one in pictures(0, FEWEST - 1)) is None
    assert reference_of([]) is None


def test_a_signal_that_never_varies_is_none() -> None:
    pairs = [
        ({"x": one[None]}, {"y": np.full((1, 5), 0.2, np.float32)}) for one in pictures(0, 100)
    ]
    found = reference_of(pairs)
    assert found is not None
    assert all(signal.name.startswith("x.") for signal in found.signals)


def test_values_that_are_often_the_same_share_a_bin() -> None:
    draws = np.random.default_rng(3)
    rows = [
        ({"x": np.zeros((1, 32), np.float32)}, {"y": np.array([[float(value)]], np.float32)})
        for value in draws.integers(0, 3, 300)
    ]
    found = reference_of(rows)
    assert found is not None
    signal = found.signals[0]
    assert signal.edges == (0.5, 1.5)
    assert sum(signal.counts) == 300


def test_text_of_any_width() -> None:
    draws = np.random.default_rng(4)
    rows = []
    for width in draws.integers(20, 60, 100):
        shares = draws.dirichlet(np.full(6000, 0.01), (1, width // 4)).astype(np.float32)
        rows.append(({"x": draws.random((1, 3, 16, 4 * width), np.float32)}, {"y": shares}))
    found = reference_of(rows)
    assert found is not None
    assert [tap.kind for tap in found.taps] == ["usual", "picture"]
    assert found.taps[0].shape == (0, 6000)
    assert found.taps[1].shape == (3, 16, 0)


def test_channels_last_keeps_neighbours_apart_by_the_channels() -> None:
    rows = [({"x": np.zeros((1, 40, 40, 3), np.uint8) + n % 7}, {}) for n in range(100)]
    tap = reference_of(rows).taps[0]  # type: ignore[union-attr]
    assert (tap.kind, tap.innermost) == ("picture", 3)
    picture = np.zeros((40, 40, 3), np.float32)
    picture[:, :, 1] = 9.0
    sampler = FrameSampler(tap, 1)
    sampler.sample(0, picture)
    numbers = dict(zip(names_of(tap), sampler.numbers(1), strict=False))
    assert numbers["x.sharpness"][0] == 0.0  # each channel is flat


def test_the_limit_is_exceeded_as_often_as_it_says() -> None:
    """With shares that are drawn anew: those of a finite reference are not the truth."""
    draws = np.random.default_rng(5)
    counts = (10,) * 10
    limit = chance_limit(counts, 32, 0.02)
    shares = draws.dirichlet(np.array(counts, float), 20_000)
    windows = draws.multinomial(32, shares)
    often = ((np.square(windows - 3.2) / 3.2).sum(axis=1) > limit).mean()
    assert often == pytest.approx(0.02, abs=0.004)


def test_a_small_reference_has_a_wider_limit() -> None:
    assert chance_limit((7,) * 10, 32, 0.01) > chance_limit((100,) * 10, 32, 0.01)


def test_a_bundle_with_data_is_watched_where_it_is_served(tmp_path: Path) -> None:
    pictures = np.random.default_rng(6).normal(0, 1, (100, 3, 16, 16)).astype(np.float32)
    bundle = make_bundle(tmp_path, data=saved(tmp_path, pictures))
    assert bundle.raw["baseline"] == "baseline.json"
    served = load(from_bundle(bundle.folder))
    run = served.session.run
    for one in pictures[:64]:
        run({"image": one[None]}, list(served.outputs))
    watch = served.drift
    assert watch is not None
    told = watch.status()
    assert (told["frames"], told["windows"], told["alarm"], told["fault"]) == (64, 2, False, "")
    for one in pictures[:64]:
        run({"image": one[None] + 3}, list(served.outputs))
    assert watch.status()["alarm"]


def test_a_bundle_with_little_data_has_no_baseline(tmp_path: Path) -> None:
    pictures = np.zeros((20, 3, 16, 16), np.float32)
    assert make_bundle(tmp_path, data=saved(tmp_path, pictures)).raw["baseline"] is None


def saved(folder: Path, pictures: np.ndarray) -> Path:
    path = folder / "data.npz"
    np.savez(path, image=pictures)
    return path
