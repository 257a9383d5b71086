"""The page of an explanation."""

from __future__ import annotations

from dataclasses import replace

from studio.evaluation.results import RuntimeVersion
from studio.features.evidence.explanations.report import report
from studio.features.evidence.explanations.results import (
    ExplainResult,
    FeatureShare,
    MapComparison,
    SampleExplanation,
)

MARKUP = "<script>alert(1)</script>"

SAMPLE = SampleExplanation(
    name="#0", kind="row", method="shapley", label="yes", class_number=1, score=0.9,
    reference_score=0.1, evaluations=8, seconds=0.1, map="sample-0",
    features=(FeatureShare("age", 40, 0.8),),
)  # fmt: skip
RESULT = ExplainResult(
    model="m:fp32", digest="d" * 64, data="rows.csv", data_digest="e" * 64, method="shapley",
    target="local", backend=RuntimeVersion("onnxruntime", "1"), seed=0, reference="auto",
    evaluations=8, seconds=1.0, samples=(SAMPLE,), output="x.png", maps="m.npz",
    maps_digest="f" * 64,
)  # fmt: skip


def test_a_page_has_the_shares_and_the_digests() -> None:
    page = report(RESULT, b"png")
    assert "<td>age</td>" in page
    assert "+0.8000" in page
    assert RESULT.data_digest in page


def test_no_name_becomes_markup() -> None:
    sample = replace(
        SAMPLE,
        name=MARKUP,
        label=MARKUP,
        features=(FeatureShare(MARKUP, 1, 1),),
        against=(MapComparison(MARKUP, 1, 1, 1, "a"),),
    )
    page = report(replace(RESULT, model=MARKUP, samples=(sample,)), b"png")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 5
