"""The verdict in words, for each outcome and each mode; and how long a run takes."""

from __future__ import annotations

from typing import Any

import pytest

from studio.documents.dataclass_json import from_json
from studio.gui.pages.profile import estimate, verdict
from studio.profiling.results import ProfileResult
from tests.gui.pages.profile.test_page import run
from tests.gui.pages.profile.test_page import verdict as comparison


def result(*verdicts: dict[str, Any], **values: Any) -> ProfileResult:
    runs = values.pop("runs", [run("fp32", 20.0), run("int8", 11.0)])
    document = {"reference": "digits:fp32", "runs": runs, "verdicts": list(verdicts), **values}
    return from_json(ProfileResult, document)


def sentence(found: ProfileResult, key: str = "digits:int8") -> str:
    return verdict.headline(found, key, "this computer").sentence


@pytest.mark.parametrize(
    ("word", "ratio", "expected"),
    [
        ("faster", (0.54, 0.53, 0.56), "int8 is 1.85× faster than fp32 (95 % CI 1.79 to 1.89)"),
        ("slower", (1.3, 1.25, 1.36),
         "int8 is slower than fp32: 1.30× its time (95 % CI 1.25 to 1.36)"),
        ("equal", (1.0, 0.991, 1.008),
         "int8 and fp32 are equally fast within 3 %: time ratio 1.00 (95 % CI 0.991 to 1.008)"),
        ("undecided", (1.02, 0.96, 1.09),
         "int8 against fp32 is inconclusive: time ratio 1.02 (95 % CI 0.96 to 1.09)"),
        ("undecided", (0.97, 0.95, 0.99),
         "int8 against fp32 is inconclusive at a margin of 3 %: time ratio 0.97 "
         "(95 % CI 0.95 to 0.99)"),
    ],
)  # fmt: skip
def test_each_verdict_has_its_sentence(
    word: str, ratio: tuple[float, float, float], expected: str
) -> None:
    found = result(comparison("int8", word, *ratio))
    assert sentence(found) == f"{expected}, 11.0 against 20.0 ms p50."


def test_an_interim_check_has_its_own_confidence() -> None:
    early = {**comparison("int8", "faster", 0.54, 0.53, 0.56), "confidence": 0.996875}
    assert "(99.7 % CI 1.79 to 1.89)" in sentence(result(early))


def test_too_few_rounds_have_no_interval() -> None:
    short = {**comparison("int8", "undecided", 0.9, 0.8, 1.0), "low": None, "high": None}
    found = sentence(result({**short, "rounds": 5}))
    assert found.startswith("int8 against fp32 is inconclusive: 5 rounds are too few")


def test_a_rate_has_its_unit() -> None:
    rates = [
        run(name, None, throughput={"best": {"streams": 1, "batch": 8, "per_second": rate}})
        for name, rate in (("fp32", 2900.0), ("int8", 5310.0))
    ]
    found = result(comparison("int8", "faster", 0.54, 0.53, 0.56), runs=rates, mode="throughput")
    assert sentence(found).endswith(", 5,310 against 2,900 samples/s.")


def test_a_variant_alone_has_its_figures_and_their_spread() -> None:
    times = [18.0 + 0.1 * number for number in range(40)]
    found = result(runs=[run("fp32", 20.0, round_ms=times)])
    assert sentence(found, "digits:fp32") == (
        "fp32 on this computer: 20.0 ms p50, 22.0 ms p90. "
        "90 % of its rounds had medians of 18.2 to 21.7 ms."
    )


def test_the_fastest_is_proposed_unless_its_outputs_are_wrong() -> None:
    runs = [run("fp32", 20.0), run("int8", 11.0), run("fp16", 15.0)]
    verdicts = [
        comparison("int8", "faster", 0.55, 0.54, 0.56),
        comparison("fp16", "faster", 0.75, 0.74, 0.76),
    ]
    assert verdict.best(result(*verdicts, runs=runs)) == "digits:int8"
    runs[1]["state"] = "wrong output"
    assert verdict.best(result(*verdicts, runs=runs)) == "digits:fp16"


def test_where_nothing_is_faster_the_open_one_or_the_baseline_is_proposed() -> None:
    slower = comparison("int8", "slower", 1.3, 1.2, 1.4)
    assert verdict.best(result(slower)) == "digits:fp32"
    undecided = comparison("int8", "undecided", 1.02, 0.96, 1.09)
    assert verdict.best(result(undecided)) == "digits:int8"


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({"model": ["#1"], "backend": ["onnxruntime"], "seconds": 20.0}, 23),
        ({"model": ["#1", "#2"], "backend": ["onnxruntime"], "seconds": 20.0}, 29),
        ({"model": ["#1", "#2"], "backend": ["a", "b"], "seconds": 20.0}, 35),
        ({"model": ["#1"], "mode": "sustained", "minutes": 5.0}, 303),
        ({"model": ["#1"], "mode": "open-loop", "seconds": 20.0, "rate": 100.0}, 23),
    ],
)
def test_how_long_a_run_takes(options: dict[str, Any], seconds: float) -> None:
    assert estimate.seconds(estimate.RunPlan.read(options)) == seconds
