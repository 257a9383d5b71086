"""The methods on functions whose explanation is known."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy
import pytest

from studio.api import Cancelled, Silent, UsageError
from studio.features.evidence.explanations.agreement import points_at, rank_correlation, top_overlap
from studio.features.evidence.explanations.curves import MOST_STEPS, cost, curves
from studio.features.evidence.explanations.methods.kernel_shap import kernel_shap
from studio.features.evidence.explanations.methods.occlusion import leave_one_out, occlusion
from studio.features.evidence.explanations.methods.perturbation import Perturbation, each, tiles
from studio.features.evidence.explanations.methods.rise import LEAST, MaskGenerator, rise
from studio.features.evidence.explanations.methods.scorer import BoundedScorer
from studio.features.evidence.explanations.methods.shapley import shapley
from tests.features.evidence.explanations.methods.functions import (
    PATCH,
    Floats,
    FunctionScorer,
    linear,
    patch_picture,
    patch_score,
    row,
)

BOX = (PATCH[1].start, PATCH[0].start, PATCH[1].stop, PATCH[0].stop)
RANDOM = numpy.random.default_rng(0)
WEIGHTS, VALUES = RANDOM.normal(size=(2, 9))
CROSS = RANDOM.normal(size=(9, 9))


def crossed(batch: Floats) -> Floats:
    """A function in which features act together."""
    return numpy.tanh(batch @ CROSS).sum(axis=1) + batch @ WEIGHTS


def by_orders(values: Floats, count: int) -> Floats:
    """Shapley values by the definition: the mean over all orders of the features."""
    total = numpy.zeros(count)
    for order in itertools.permutations(range(count)):
        now = numpy.zeros((1, count))
        before = float(small(now)[0])
        for feature in order:
            now[0, feature] = values[feature]
            after = float(small(now)[0])
            total[feature] += after - before
            before = after
    return total / math.factorial(count)


def small(batch: Floats) -> Floats:
    return numpy.tanh(batch @ CROSS[:5, :5]).sum(axis=1)


def test_exact_shapley_is_the_mean_over_all_orders() -> None:
    found = shapley(FunctionScorer(small), row(VALUES[:5]), 100)
    assert numpy.allclose(found.values, by_orders(VALUES, 5))


def test_shapley_values_add_up_to_the_change_from_the_references() -> None:
    references = RANDOM.normal(size=(3, 9))
    found = shapley(FunctionScorer(crossed), row(VALUES, references), 10_000)
    change = crossed(VALUES[None])[0] - crossed(references).mean()
    assert found.values.sum() == pytest.approx(change)


@pytest.mark.parametrize("method", ["shapley", "kernel-shap", "occlusion"])
def test_a_linear_model_is_explained_exactly(method: str) -> None:
    scorer, altered = linear(WEIGHTS), row(VALUES)
    found = {
        "shapley": lambda: shapley(scorer, altered, 1000),
        "kernel-shap": lambda: kernel_shap(scorer, altered, 40, 0),
        "occlusion": lambda: leave_one_out(scorer, altered, 40),
    }[method]()
    assert numpy.allclose(found.values, WEIGHTS * VALUES, atol=1e-6)


def test_kernel_shap_with_all_sets_is_exact() -> None:
    exact = shapley(FunctionScorer(crossed), row(VALUES), 1000)
    found = kernel_shap(FunctionScorer(crossed), row(VALUES), 1000, 0)
    assert numpy.allclose(found.values, exact.values, atol=1e-6)
    assert found.halves is None


def test_sampled_kernel_shap_comes_near_to_exact_values() -> None:
    exact = shapley(FunctionScorer(crossed), row(VALUES), 1000)
    near = [
        rank_correlation(
            kernel_shap(FunctionScorer(crossed), row(VALUES), 200, seed).values, exact.values
        )
        for seed in range(20)
    ]
    assert numpy.mean(near) >= 0.97


def test_kernel_shap_adds_up_also_when_sampled() -> None:
    values = RANDOM.normal(size=30)
    mixed = RANDOM.normal(size=(30, 30))
    scorer = FunctionScorer(lambda batch: numpy.tanh(batch @ mixed).sum(axis=1))
    found = kernel_shap(scorer, row(values), 300, 1)
    assert found.values.sum() == pytest.approx(numpy.tanh(values @ mixed).sum())
    assert scorer.count <= 300


@pytest.mark.parametrize("method", ["rise", "occlusion"])
def test_the_map_points_at_the_patch(method: str) -> None:
    scorer, altered = FunctionScorer(patch_score), patch_picture()
    found = rise(scorer, altered, 600, 0) if method == "rise" else occlusion(scorer, altered, 600)
    assert points_at(found.values, BOX)
    assert scorer.count <= 600


def test_rise_finds_a_place_in_a_signal() -> None:
    signal = numpy.ones((1, 2, 400), dtype=numpy.float32)
    altered = Perturbation(signal, numpy.zeros_like(signal), (2,), tiles((400,), 32))
    scorer = FunctionScorer(lambda batch: batch[:, :, 100:140].mean(axis=(1, 2)).astype(float))
    found = rise(scorer, altered, 400, 0)
    assert 90 <= int(found.values.argmax()) < 150


def test_occlusion_of_tokens_keeps_whole_numbers() -> None:
    tokens = numpy.array([[5, 7, 9, 7]], dtype=numpy.int64)
    altered = Perturbation(tokens, numpy.zeros_like(tokens), (1,), each((4,)))
    scorer = FunctionScorer(lambda batch: (batch == 9).sum(axis=1).astype(float))
    found = leave_one_out(scorer, altered, 10)
    assert found.values.tolist() == [0, 0, 1, 0]


def test_equal_seeds_give_equal_maps_and_others_do_not() -> None:
    first, again, other = (
        rise(FunctionScorer(patch_score), patch_picture(), 100, seed).values for seed in (3, 3, 4)
    )
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_the_masks_of_a_run_are_never_all_in_memory() -> None:
    side = 256
    picture = numpy.ones((1, 3, side, side), dtype=numpy.float32)
    altered = Perturbation(picture, numpy.zeros_like(picture), (2, 3), tiles((side, side), 8))
    scorer = FunctionScorer(lambda batch: batch[:, 0, 0, 0].astype(float))
    tracemalloc.start()
    rise(scorer, altered, 1000, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 << 20  # all masked copies would take 750 MB
    assert scorer.largest <= 48 << 20


def test_sums_of_grids_are_sums_of_masks() -> None:
    generator = MaskGenerator((40, 65), (5, 8), 1)
    drawn, total = generator.draw(30), generator.total()
    weights = RANDOM.normal(size=30)
    total.add(drawn, weights)
    expected = numpy.tensordot(weights, drawn.masks.astype(numpy.float64), 1)
    assert numpy.allclose(total.value(), expected)


def test_masks_keep_half_of_the_picture() -> None:
    masks = MaskGenerator((64, 64), (7, 7), 0).draw(200).masks
    assert masks.min() >= 0
    assert masks.max() <= 1
    assert masks.mean() == pytest.approx(0.5, abs=0.02)


def test_a_good_map_falls_early_and_rises_early() -> None:
    altered = patch_picture()
    scorer = FunctionScorer(patch_score)
    found = curves(scorer, altered, rise(FunctionScorer(patch_score), altered, 600, 0), MOST_STEPS)
    assert found.deletion_area < 0.35
    assert found.insertion_area > 0.6
    assert scorer.count <= cost(altered, MOST_STEPS)


@pytest.mark.parametrize(
    ("method", "least"),
    [("rise", LEAST), ("occlusion", 5), ("shapley", 512), ("kernel-shap", 20), ("tokens", 10)],
)
def test_a_bound_below_the_least_is_refused_in_a_sentence(method: str, least: int) -> None:
    scorer, picture, features = FunctionScorer(patch_score), patch_picture(), row(VALUES)
    runs = {
        "rise": lambda: rise(scorer, picture, least - 1, 0),
        "occlusion": lambda: occlusion(scorer, picture, least - 1),
        "shapley": lambda: shapley(scorer, features, least - 1),
        "kernel-shap": lambda: kernel_shap(scorer, features, least - 1, 0),
        "tokens": lambda: leave_one_out(scorer, features, least - 1),
    }
    with pytest.raises(UsageError) as caught:
        runs[method]()
    assert f"at least {least} evaluations" in caught.value.message
    assert caught.value.hint == f"Give --evaluations {least} or more."
    assert scorer.count == 0


def test_no_method_passes_the_bound() -> None:
    scorer = BoundedScorer(FunctionScorer(patch_score), 50)
    with pytest.raises(UsageError, match="more than 50 evaluations"):
        rise(scorer, patch_picture(), 51, 0)


def test_a_cancelled_explanation_ends_at_the_next_batch() -> None:
    class Ended(Silent):
        def progress(self, done: float, total: float, text: str = "") -> None:
            raise Cancelled

    scorer = FunctionScorer(patch_score)
    with pytest.raises(Cancelled):
        rise(BoundedScorer(scorer, 1000, Ended()), patch_picture(), 1000, 0)
    assert scorer.count == 0


def test_agreement_of_maps() -> None:
    first = RANDOM.normal(size=(20, 20))
    assert rank_correlation(first, numpy.exp(first)) == pytest.approx(1)
    assert rank_correlation(first, -first) == pytest.approx(-1)
    assert rank_correlation(first, numpy.zeros_like(first)) == 0
    assert top_overlap(first, 2 * first) == 1
    assert top_overlap(first, -first) == 0
