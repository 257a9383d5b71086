"""Quantization of the digits for a chip, with a compiler that refuses and errs on order."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import onnx
import onnxruntime
import pytest

from studio.api import Compiled, GateMissed, InvalidModel, PlacedNode, Progress, UsageError
from studio.conversion.chips.catalogue import ChipSpec
from studio.conversion.chips.chip_check import ChipCheck
from studio.documents.dataclass_json import from_json, to_json
from studio.quantization import record, work
from studio.quantization.chips.preset import for_chip
from studio.quantization.presets import prepare
from studio.quantization.results import QuantizeResult
from studio.quantization.step import QUANTIZE, QuantizeOptions
from studio.quantization.texts import quantized
from studio.registry import ModelRef, Registry, VariantRecord
from tests.unit.quantization.conftest import DIGITS, FakeJob, options_of

DATA = {"data": str(DIGITS / "calibration.npz"), "eval_data": str(DIGITS / "heldout.npz")}
CHIP = ChipSpec(
    id="qcs8550",
    title="Test chip",
    summary="The chip of the tests.",
    compiler="test",
    format="onnx",
    source="These tests.",
)


def float_layers(model: Path) -> set[str]:
    """Names of the layers whose weights stay in float."""
    graph = onnx.load(str(model)).graph
    quantized_values = {
        name for node in graph.node if node.op_type == "DequantizeLinear" for name in node.output
    }
    return {
        node.name
        for node in graph.node
        if node.op_type in ("Conv", "Gemm", "MatMul") and node.input[1] not in quantized_values
    }


@dataclass
class Compiler:
    """Runs models in ONNX Runtime, with the faults of a chip.

    Attributes:
        float_only: Operators that it takes in float alone.
        wrong: Whether a model's answers are wrong, by its float layers.
        reason: Why it refuses each model; empty where it takes them.
    """

    float_only: frozenset[str] = frozenset()
    wrong: Callable[[set[str]], bool] = lambda kept: False
    reason: str = ""
    id: str = "test"
    title: str = "Test compiler"
    how: str = "simulated"

    def version(self) -> str:
        return "1.0"

    def compile(
        self,
        model: Path,
        output: Path,
        settings: Mapping[str, object],
        inputs: Mapping[str, Sequence[int]],
        folder: Path,
        progress: Progress,
    ) -> Compiled:
        if self.reason:
            raise InvalidModel(self.reason)
        kept = float_layers(model)
        nodes = tuple(
            PlacedNode(node.name, node.op_type, on_chip, reason, keep_float=not on_chip)
            for node in onnx.load(str(model)).graph.node
            for on_chip in [node.op_type not in self.float_only or node.name in kept]
            for reason in ["" if on_chip else "no int8"]
        )
        return Compiled("Test compiler 1.0", nodes)

    def answer(
        self,
        model: Path,
        samples: Path,
        answers: Path,
        folder: Path,
        progress: Progress,
        *,
        values: Sequence[str] = (),
    ) -> Mapping[str, str]:
        session = onnxruntime.InferenceSession(str(model))
        factor = 0 if self.wrong(float_layers(model)) else 1
        for path in samples.glob("*.npz"):
            with numpy.load(path) as arrays:
                found = session.run(None, dict(arrays))
            numpy.savez(
                answers / path.name, **{str(k): one * factor for k, one in enumerate(found)}
            )
        return {}


@pytest.fixture
def chip(monkeypatch: pytest.MonkeyPatch) -> Compiler:
    compiler = Compiler()
    monkeypatch.setattr(
        ChipCheck, "of", lambda name, form, host, job: ChipCheck(CHIP, compiler, host, job)
    )
    return compiler


def quantize(variant: VariantRecord, job: FakeJob, **given: Any) -> QuantizeResult:
    options = options_of(QUANTIZE, variant, **{**DATA, "for": CHIP.id, "max_drop": 0.01, **given})
    result = work.quantize(options, job)
    document = to_json(result)
    assert to_json(from_json(QuantizeResult, document)) == document
    return result


@pytest.mark.slow
def test_a_variant_has_the_verdict_and_the_metric_of_its_chip(
    digits: VariantRecord, job: FakeJob, chip: Compiler, registry: Registry
) -> None:
    result = quantize(digits, job)
    assert result.chip is not None
    assert (result.chip.verdict, result.chip.title) == ("runs", "Test chip")
    assert result.chip.numbers is not None
    assert result.chip.numbers.samples == 100
    assert result.chip.numbers.metric is not None
    assert result.chip.numbers.metric.value > 0.98
    assert result.chip_search is None
    assert any(line.startswith("chip      Test chip: runs") for line in quantized(result))
    options = options_of(QUANTIZE, digits, **DATA)
    kept = record.quantized(registry, options, result, job.folder)
    [run] = registry.runs("check", kept.variant)
    assert run.result["chip"] == CHIP.id


@pytest.mark.slow
def test_a_chip_that_refuses_or_loses_too_much_is_a_missed_gate(
    digits: VariantRecord, job: FakeJob, chip: Compiler, tmp_path: Path
) -> None:
    chip.wrong = lambda kept: True
    with pytest.raises(GateMissed, match=r"Metric drop on Test chip is 0\.\d+ .*discarded"):
        quantize(digits, job)
    chip.reason = "The chip has no operator Conv."
    shutil.rmtree(job.folder)
    job.folder.mkdir()
    with pytest.raises(GateMissed, match=r"Test chip refuses .*no operator Conv"):
        quantize(digits, job)


@pytest.mark.slow
def test_a_search_keeps_what_the_chip_takes_in_float_alone(
    digits: VariantRecord, job: FakeJob, chip: Compiler
) -> None:
    chip.float_only = frozenset({"Gemm"})
    result = quantize(digits, job, search=True)
    assert result.search is None
    assert result.chip is not None
    assert result.chip_search is not None
    assert result.chip.verdict == "runs"
    [needed] = result.chip_search.needed
    assert needed in result.chip_search.chosen
    assert needed in float_layers(job.folder / (result.files.file if result.files else ""))
    assert any(line.startswith("search ") for line in quantized(result))


@pytest.mark.slow
def test_where_the_chip_loses_more_than_the_runtime_more_layers_stay_in_float(
    digits: VariantRecord, job: FakeJob, chip: Compiler
) -> None:
    plain = quantize(digits, job, search=True).chip_search
    assert plain is not None
    fewest = len(plain.chosen)
    chip.wrong = lambda kept: len(kept) <= fewest
    shutil.rmtree(job.folder)
    job.folder.mkdir()
    found = quantize(digits, job, search=True).chip_search
    assert found is not None
    assert len(found.chosen) > fewest
    first, *_, last = [one for one in found.trials if one.chip_drop is not None]
    assert (first.chip_drop or 0) > 0.01 >= (last.chip_drop or 0)
    assert last.float_share > first.float_share


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"wrong": lambda kept: True}, "None of . candidates for Test chip met"),
        ({"reason": "It has no Conv."}, "refuses the model in int8: It has no Conv."),
        ({"float_only": frozenset({"Gemm", "Conv"})}, "Test chip takes no layer of this model"),
    ],
)
def test_a_search_without_a_good_candidate_is_one_sentence(
    digits: VariantRecord, job: FakeJob, chip: Compiler, fault: dict[str, Any], sentence: str
) -> None:
    for name, value in fault.items():
        setattr(chip, name, value)
    with pytest.raises(GateMissed, match=sentence):
        quantize(digits, job, search=True)


@pytest.mark.slow
def test_where_int8_loses_too_much_the_next_preset_of_the_chip_is_tried(
    digits: VariantRecord, job: FakeJob, chip: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = replace(
        CHIP,
        preset="int8",
        alternatives=("int8-of-tomorrow", "../chips/rk3588", "/etc/passwd", "fp16"),
    )
    monkeypatch.setattr(
        ChipCheck, "of", lambda name, form, host, job: ChipCheck(spec, chip, host, job)
    )
    chip.wrong = is_int8
    options = options_of(QUANTIZE, digits, **DATA, max_drop=0.01, search=True, **{"for": CHIP.id})
    own = work.quantize(options, job).chip_search
    assert own is not None
    assert (own.preset, len(own.chosen)) == ("", 3), "a preset of the user's own has no next one"
    shutil.rmtree(job.folder)
    job.folder.mkdir()
    result = work.quantize(replace(options, preset_name="int8.toml"), job)
    assert result.chip_search is not None
    assert (result.chip_search.preset, result.precision) == ("fp16", "fp16")
    assert result.preset["method"] == "fp16"
    assert result.chip_search.trials[-1].chip_drop == 0
    assert any("preset fp16" in line for line in quantized(result))


def is_int8(kept: set[str]) -> bool:
    """Whether some layer is in bytes."""
    return len(kept) < 3


def prepared(registry: Registry, variant: VariantRecord, **given: Any) -> QuantizeOptions:
    options = QUANTIZE.options_of({**given, "model": ModelRef.of(variant).to_json()})
    return prepare(registry, for_chip(registry, options))


def test_the_preset_is_that_of_the_chip_unless_another_is_given(
    registry: Registry, digits: VariantRecord
) -> None:
    found = prepared(registry, digits, **{"for": "snapdragon-8-gen-2"})
    assert found.preset_name == "int8-qnn.toml"
    assert prepared(registry, digits, preset="int8", **{"for": "rk3588"}).preset_name == "int8.toml"
    assert prepared(registry, digits, method="fp16", **{"for": "rk3588"}).preset is None
    board = prepared(registry, digits, **{"for": "jetson-orin-nano"})
    assert (board.chip, board.preset_name) == ("jetson-orin", "int8-tensorrt.toml")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"for": "rk3589"}, "rk3589"),
        ({"for": "coral-edge-tpu"}, "Google Coral Edge TPU takes an export of the float model"),
        ({"for": "rk3588", "search": True}, "needs --max-drop"),
        ({"for": "rk3588", "search": True, "max_latency_ratio": 0.5}, "no --max-latency-ratio"),
        ({"for": "rv1106", "search": True, "max_drop": 0.1}, "computes in integers alone"),
    ],
)
def test_what_no_search_for_a_chip_can_do_is_one_sentence(
    registry: Registry, digits: VariantRecord, given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        prepared(registry, digits, **given)
