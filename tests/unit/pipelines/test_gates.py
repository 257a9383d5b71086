"""Every kind of gate against results in the form that the steps give."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from studio.pipelines.gate_kinds import KINDS
from studio.pipelines.gates import judge
from studio.pipelines.pipeline import Gate
from studio.registry.run_records import GateReport
from studio.runtime.release.intake.signature import NAMESPACE

QUANTIZED = {
    "metric": {"name": "top1", "before": 0.99, "after": 0.97, "drop": 0.02},
    "bytes": {"before": 100, "after": 30},
    "size_ratio": 0.3,
}
VERDICT = {"a": "m:fp32", "b": "m:int8", "ratio": 0.9, "low": 0.85, "high": 1.02}
PROFILE = {
    "placement": {"fallback": 0.5},
    "verdicts": [VERDICT],
    "operators": [
        {"run": "m:fp32", "providers": {"cpu": 0.25, "cuda": 0.75}},
        {"run": "m:int8", "providers": {"cpu": 0.5, "cuda": 0.5}},
    ],
}
WARNING = {"check": "float64", "level": "warning", "code": "float64", "text": "'x' is in float64."}
ERROR = {"check": "rule", "level": "error", "code": "rule", "text": "It has too many nodes."}
NAMES = {"q": "quantize", "e": "evaluate", "p": "profile", "b": "package", "c": "coverage",
         "o": "open", "s": "study"}  # fmt: skip


def judged(kind: str, of: str, result: Any, **limits: Any) -> GateReport:
    bounds = {"minimum": limits.pop("min", None), "maximum": limits.pop("max", None)}
    default = KINDS[kind].default or {}
    bounds["minimum"] = default.get("min", bounds["minimum"])
    gate = Gate("g", kind=kind, of=of, settings=limits, **bounds)
    return judge(gate, {of: result}, NAMES)


@pytest.mark.parametrize(
    ("kind", "of", "result", "limits", "passed", "value"),
    [
        ("metric-drop", "q", QUANTIZED, {"max": 0.02}, True, 0.02),
        ("metric-drop", "q", QUANTIZED, {"max": 0.01}, False, 0.02),
        ("placement", "p", PROFILE, {"min": 0.5}, True, 0.5),
        ("placement", "p", PROFILE, {"min": 0.9}, False, 0.5),
        ("placement", "p", {"placement": {"fallback": None}}, {"min": 0.0}, False, None),
        ("metric-drop", "q", {"metric": None}, {"max": 0.01}, False, None),
        (
            "metric-drop",
            "e",
            {"metric": {"name": "top1", "value": 0.9}},
            {"max": 0.1, "against": 0.95},
            True,
            0.05,
        ),
        (
            "metric-drop",
            "e",
            {"metric": {"name": "cer", "value": 0.2}},
            {"max": 0.1, "against": 0.05},
            False,
            0.15,
        ),
        ("size-ratio", "q", QUANTIZED, {"max": 0.5}, True, 0.3),
        ("size", "q", QUANTIZED, {"max": 29}, False, 30),
        ("size", "b", {"bytes": 500}, {"max": 500}, True, 500),
        ("latency-ratio", "p", PROFILE, {"max": 1.0}, False, 1.02),
        ("latency-ratio", "p", PROFILE, {"max": 1.0, "bound": "ratio"}, True, 0.9),
        ("latency-ratio", "p", PROFILE, {"max": 1.0, "bound": "low"}, True, 0.85),
        ("latency-ratio", "p", PROFILE, {"max": 2.0, "b": "m:fp16"}, False, None),
        ("latency-ratio", "s", {"overall": [VERDICT]}, {"max": 1.0}, False, 1.02),
        ("latency-ratio", "s", {"overall": [{**VERDICT, "high": None}]}, {"max": 9}, False, None),
        (
            "latency-ratio",
            "p",
            {"verdicts": [{**VERDICT, "high": None}]},
            {"max": 1.0},
            False,
            None,
        ),
        ("placement", "p", PROFILE, {"min": 0.6, "provider": "cuda"}, False, 0.5),
        ("placement", "p", PROFILE, {"min": 0.4, "provider": "CUDA"}, True, 0.5),
        ("placement", "p", {"operators": []}, {"min": 0.4, "provider": "cuda"}, False, None),
        (
            "coverage",
            "c",
            {"covered": True, "problems": [], "runtime": "onnxruntime 1.19"},
            {},
            True,
            1,
        ),
        (
            "coverage",
            "c",
            {"covered": False, "problems": [{"text": "no Attention"}], "runtime": "x"},
            {},
            False,
            0,
        ),
        ("licence", "o", {"licence": "Apache-2.0"}, {"allow": ["apache-2.0", "MIT"]}, True, 1),
        ("licence", "o", {"licence": "AGPL-3.0"}, {"allow": ["MIT"]}, False, 0),
        ("licence", "o", {}, {"allow": ["MIT"]}, False, None),
        ("signature", "b", {"bundle": "/nowhere"}, {}, False, 0),
        ("signature", "b", {}, {}, False, None),
        ("checks", "b", {"findings": []}, {}, True, 1),
        ("checks", "b", {"findings": [WARNING]}, {}, True, 1),
        ("checks", "b", {"findings": [WARNING]}, {"checks": "warnings"}, True, 1),
        ("checks", "b", {"findings": [WARNING]}, {"checks": "none"}, False, 0),
        ("checks", "b", {"findings": [WARNING, ERROR]}, {}, False, 0),
        ("checks", "b", {"findings": [{**WARNING, "level": "info"}]}, {"checks": "none"}, True, 1),
        ("checks", "b", {"bundle": "/old"}, {}, False, None),
        ("checks", "b", {"findings": []}, {"checks": "some"}, False, None),
        ("size", "c", {"bytes": 5}, {"max": 9}, False, None),
    ],
)
def test_a_kind(
    kind: str, of: str, result: Any, limits: dict[str, Any], passed: bool, value: float | None
) -> None:
    report = judged(kind, of, result, **limits)
    assert report.passed is passed, report
    assert report.value == (value if value is None else pytest.approx(value))
    assert report.limit
    if value is None:
        assert report.text, "it does not say why there is no value"


def test_every_kind_is_tried_here() -> None:
    (mark,) = test_a_kind.pytestmark  # type: ignore[attr-defined]
    tried = {row[0] for row in mark.args[1]}
    assert tried == set(KINDS) - {"value"}


def test_a_step_that_was_not_run_fails_its_gate() -> None:
    gate = Gate("g", kind="size", of="q", maximum=1.0)
    assert judge(gate, {}, NAMES).text == "q was not run"
    assert not judge(Gate("g", value="${q.size_ratio}", maximum=1.0), {}, NAMES).passed


def test_a_signature_is_verified(tmp_path: Path) -> None:
    bundle, key, other = tmp_path / "bundle", tmp_path / "key", tmp_path / "other"
    bundle.mkdir()
    manifest = bundle / "manifest.json"
    manifest.write_text("{}")
    for each in (key, other):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(each)]
        subprocess.run(words, check=True)
    words = ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(manifest)]
    subprocess.run(words, check=True, capture_output=True)
    mine, foreign = tmp_path / "mine", tmp_path / "foreign"
    mine.write_text(f"ann {key.with_suffix('.pub').read_text()}")
    foreign.write_text(f"eve {other.with_suffix('.pub').read_text()}")
    result = {"bundle": str(bundle)}
    assert judged("signature", "b", result).passed
    report = judged("signature", "b", result, signers=str(mine))
    assert (report.passed, report.text) == (True, "ann")
    report = judged("signature", "b", result, signers=str(foreign))
    assert (report.passed, "no allowed signer" in report.text) == (False, True)
    report = judged("signature", "b", result, signers=str(tmp_path / "none"))
    assert (report.passed, report.value) == (False, None)
    manifest.write_text('{"altered": true}')
    assert not judged("signature", "b", result, signers=str(mine)).passed
