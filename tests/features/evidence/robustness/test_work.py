"""The step ``robustness`` on the digits, on numbers, on texts, and its attack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from studio.api import Array, Feeds, InvalidData, Sample, TensorType, UsageError, Value
from studio.datasets import open_dataset
from studio.features.evidence.robustness import texts
from studio.features.evidence.robustness.attack import SquareAttack
from studio.features.evidence.robustness.corrupted_samples import (
    FILES,
    PICTURE_INPUT,
    SIGNAL_INPUT,
    TEXT_INPUT,
    CorruptedSamples,
    InputScale,
)
from studio.features.evidence.robustness.step import ROBUSTNESS, RobustnessOptions
from studio.features.evidence.robustness.work import recorded, robustness
from studio.registry import Registry, VariantRecord
from tests.unit.quantization.conftest import DIGITS, FakeJob, options_of

DATA = DIGITS / "heldout.npz"


def options(variant: VariantRecord, **given: Any) -> RobustnessOptions:
    return options_of(ROBUSTNESS, variant, **{"data": str(DATA), "samples": 60, **given})


class Rows:
    """Samples in memory of a model with the input ``x``."""

    def __init__(self, arrays: Sequence[Array]) -> None:
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self._arrays)

    def __iter__(self) -> Iterator[Sample]:
        for index, array in enumerate(self._arrays):
            yield Sample({"x": array}, index % 2, f"#{index}")


def value(shape: tuple[int, ...], dtype: str = "float32") -> Value:
    return Value("x", TensorType(dtype, shape))


def test_digits_lose_with_the_severity(digits: VariantRecord, job: FakeJob) -> None:
    found = robustness(options(digits, family=["noise"], severity=[1, 5]), job)
    rows = {(row.corruption, row.severity): row for row in found.rows}
    assert set(rows) == {(n, s) for n in ("gaussian", "shot", "impulse") for s in (1, 5)}
    for name in ("gaussian", "shot", "impulse"):
        assert rows[name, 5].value < rows[name, 1].value
    assert rows["impulse", 5].change.is_significant
    assert not rows["shot", 1].change.is_significant
    assert found.applied_to == PICTURE_INPUT
    assert (found.low, found.high) == (0, 1)


def test_the_figure_of_a_family_is_the_mean_of_its_rows(
    digits: VariantRecord, job: FakeJob
) -> None:
    found = robustness(options(digits, family=["blur", "digital"], severity=[2]), job)
    blur = [row.value for row in found.rows if row.family == "blur"]
    assert found.robustness.blur == pytest.approx(numpy.mean(blur))
    assert found.robustness.noise is None
    digital = found.robustness.digital
    assert digital is not None
    assert found.robustness.worst == min(digital, numpy.mean(blur))
    assert found.robustness.mean == pytest.approx((digital + numpy.mean(blur)) / 2)


def test_equal_runs_give_equal_reports(digits: VariantRecord, job: FakeJob) -> None:
    given = options(digits, family=["noise"], severity=[3], attack=True, attacked=5, samples=20)
    assert robustness(given, job) == robustness(given, job)


def test_a_larger_box_breaks_more(digits: VariantRecord, job: FakeJob) -> None:
    def held(epsilon: float) -> int:
        given = options(
            digits, family=["blur"], severity=[1], attack=True, attacked=10, epsilon=epsilon
        )
        attack = robustness(given, job).attack
        assert attack is not None
        assert attack.samples == 10
        return attack.held

    assert held(0.3) < held(0.01)


def test_the_lines_have_each_row_the_families_and_the_attack(
    digits: VariantRecord, job: FakeJob
) -> None:
    given = options(digits, family=["blur"], severity=[1], attack=True, attacked=3, require=0.99)
    found = robustness(given, job)
    lines = "\n".join(texts.robustness(found))
    for word in ("clean", "blur: defocus", "blur: motion", "Mean of each family: blur", "Attack: "):
        assert word in lines
    assert texts.exit_code(found) == (0 if found.passed else 3)


def test_a_family_below_what_is_required_fails(digits: VariantRecord, job: FakeJob) -> None:
    found = robustness(options(digits, family=["weather"], severity=[5], require=0.9), job)
    assert not found.passed
    assert texts.exit_code(found) == 3


def test_a_family_that_does_not_suit_the_data_is_one_sentence(
    digits: VariantRecord, job: FakeJob
) -> None:
    with pytest.raises(UsageError, match="'typos' does not suit pictures in the input"):
        robustness(options(digits, family=["typos"]), job)


def test_the_record_keeps_the_report(
    digits: VariantRecord, job: FakeJob, registry: Registry
) -> None:
    given = options(digits, family=["blur"], severity=[1], samples=10)
    recorded(registry, given, robustness(given, job), job.folder)
    kept = registry.runs("robustness", digits.id)[0].result
    assert kept["robustness"]["blur"] is not None


def test_picture_files_are_corrupted_before_the_preprocessing(tmp_path: Path) -> None:
    stripes = (numpy.indices((16, 16))[1] // 4 % 2 * 255).astype(numpy.uint8)
    Image.fromarray(stripes).save(tmp_path / "0.png")
    (tmp_path / "preprocess.toml").write_text('color = "GRAY"\nscale = 1.0\n', encoding="utf-8")
    clean = open_dataset(tmp_path, [value((1, 1, 16, 16))])
    scale = InputScale.of(clean, [value((1, 1, 16, 16))])
    assert scale.kind == FILES
    (sample,) = CorruptedSamples(clean, scale, "contrast", 3, 0)
    assert not numpy.array_equal(sample.feeds["x"], next(iter(clean)).feeds["x"])
    assert sample.feeds["x"].shape == (1, 1, 16, 16)
    assert float(sample.feeds["x"].max()) <= 255


@pytest.mark.parametrize("shape", [(1, 3, 12, 12), (1, 12, 12, 3)])
def test_whole_numbers_stay_whole_and_in_their_range(shape: tuple[int, ...]) -> None:
    random = numpy.random.default_rng(0)
    rows = Rows([random.integers(0, 256, shape).astype(numpy.uint8) for _ in range(3)])
    scale = InputScale.of(rows, [value(shape, "uint8")])
    assert (scale.kind, scale.low, scale.high) == (PICTURE_INPUT, 0, 255)
    for sample in CorruptedSamples(rows, scale, "gaussian", 5, 0):
        assert sample.feeds["x"].dtype == numpy.uint8
        assert sample.feeds["x"].shape == shape


def test_numbers_of_a_row_have_a_spread_each() -> None:
    random = numpy.random.default_rng(0)
    rows = Rows(
        [random.normal((0, 100), (1, 20), (1, 2)).astype(numpy.float32) for _ in range(400)]
    )
    scale = InputScale.of(rows, [value((1, 2))])
    assert scale.kind == SIGNAL_INPUT
    assert scale.spread is not None
    assert scale.spread.deviation.reshape(-1) == pytest.approx([1, 20], rel=0.1)
    assert scale.spread.low.shape == (1, 2)
    changes = [
        after.feeds["x"] - before.feeds["x"]
        for before, after in zip(rows, CorruptedSamples(rows, scale, "noise", 3, 0), strict=True)
    ]
    assert numpy.std(changes, axis=0).reshape(-1) == pytest.approx([0.2, 4], rel=0.15)


def test_signals_of_different_lengths_have_one_spread() -> None:
    rows = Rows([numpy.arange(size, dtype=numpy.float32)[None] for size in (4, 6, 9)])
    scale = InputScale.of(rows, [value((1, 9))])
    assert scale.spread is not None
    assert scale.spread.mean.shape == ()
    for corruption in ("noise", "dropout", "offset", "clipping", "missing"):
        sizes = [one.feeds["x"].shape for one in CorruptedSamples(rows, scale, corruption, 5, 0)]
        assert sizes == [(1, 4), (1, 6), (1, 9)]


def test_texts_get_typing_errors() -> None:
    rows = Rows([numpy.array([["a long enough text to have some errors in it"]], object)] * 2)
    scale = InputScale.of(rows, [value((1, 1), "string")])
    assert scale.kind == TEXT_INPUT
    assert list(scale.families) == ["typos"]
    first, second = (one.feeds["x"][0, 0] for one in CorruptedSamples(rows, scale, "typos", 5, 0))
    assert first != second


def test_numbers_that_are_not_finite_are_one_sentence() -> None:
    rows = Rows([numpy.array([[numpy.nan]], numpy.float32)])
    with pytest.raises(InvalidData, match="No corruption is known"):
        InputScale.of(rows, [value((1, 1))])


class Linear:
    """A model whose second class wins where the first number is positive."""

    input_names, output_names = ("x",), ("y",)

    def __init__(self) -> None:
        self.runs = 0

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> Mapping[str, Array]:
        self.runs += 1
        lead = float(feeds["x"].reshape(-1)[0])
        return {"y": numpy.array([[0.0, lead]], numpy.float32)}

    def close(self) -> None:
        """Nothing to free."""


@pytest.mark.parametrize(("lead", "broken"), [(0.05, True), (0.15, False)])
def test_the_attack_finds_a_change_in_the_box_and_none_beyond(lead: float, broken: bool) -> None:
    session = Linear()
    one = numpy.asarray
    attack = SquareAttack("x", 0.05, one(-1.0), one(1.0), 100)
    feeds = {"x": numpy.array([[lead, 0.0, 0.0]], numpy.float32)}
    random = numpy.random.default_rng(0)
    assert attack.breaks(session, feeds, 1, random) == broken  # type: ignore[arg-type]
    assert session.runs <= 100
