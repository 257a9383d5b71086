"""The step in this process with the real bench behind it: A/A, a slower model, bad models."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from studio.api import Cancelled, InvalidData, StudioError, Unavailable, UsageError
from studio.documents.dataclass_json import to_json
from studio.profiling.chart import interval_figure, latency_figure
from studio.profiling.record import profiled
from studio.profiling.work import profile
from studio.registry import Registry
from studio.runtime.bench.facts import InputFeed, Percentiles

CONTRACT = {
    "model",
    "backend",
    "device",
    "precision",
    "threads",
    "samples",
    "latency_ms",
    "first_ms",
    "memory_mb",
    "max_error",
}


@pytest.mark.slow
def test_a_model_against_itself_is_never_faster_or_slower(cnn, reference, arguments, job):
    models = [reference(cnn, "fp32"), reference(cnn, "copy", 2)]
    result = profile(arguments(*models), job)
    [verdict] = result.verdicts
    assert verdict.verdict in ("equal", "undecided")
    assert verdict.low <= verdict.ratio <= verdict.high
    assert result.runs[1].max_error == 0
    assert result.twin.low <= 1.5
    assert result.complete


@pytest.mark.slow
def test_a_slower_model_is_called_so_and_its_operators_given_back(
    cnn, big_cnn, reference, arguments, job, tmp_path
):
    models = [reference(cnn, "small"), reference(big_cnn, "big", 2)]
    for rounds in (12, 48, 96):  # a busy machine leaves few of them undecided: more are needed
        result = profile(arguments(*models, operators=True, rounds=rounds), job)
        [verdict] = result.verdicts
        if verdict.verdict != "undecided":
            break
    assert (verdict.a, verdict.b) == ("cnn:small", "cnn:big")
    assert verdict.verdict == "slower"
    assert verdict.low > 1.5
    assert verdict.cpu.ratio > 1.5
    for run in result.runs:
        assert set(to_json(run)) >= CONTRACT
        assert run.state == "measured"
        assert run.latency_ms.p50 > 0
        assert run.threads == 1
        assert len(run.distribution) == 101
    assert result.environment.runtimes["onnxruntime"]
    assert result.environment.cpu
    for operators in result.operators:
        assert operators.attributed + operators.layout > 0.9
        assert {node.name for node in operators.nodes} <= {
            "conv1", "relu1", "conv2", "relu2", "pool", "flatten", "head"
        }  # fmt: skip
        starts = {node.name: node.start_us for node in operators.nodes}
        assert starts["conv1"] < starts["conv2"] < starts["head"]
    json.dumps(to_json(result), allow_nan=False)
    live = [values for name, values in job.messages if name == "run"]
    assert {values["id"] for values in live} == {"cnn:small", "cnn:big"}
    assert any(values.get("latency_ms") for values in live)
    # More rounds than 12 end early, at the look at which all is decided.
    assert f"Round {result.rounds} of {rounds}" in job.lines

    registry = Registry.open(tmp_path / "registry")
    try:
        variant = registry_variant(registry, cnn, tmp_path)
        given = arguments(*[replace(model, variant=variant) for model in models])
        final = profiled(registry, given, result, job.folder)
        [run] = registry.runs("profile", variant)
        assert run.id == final.run
        assert run.result["verdicts"][0]["verdict"] == "slower"
        written = json.loads(run.artifacts["rounds"].path.read_text())
        assert len(written["rounds"]) == result.rounds
    finally:
        registry.close()

    figure = latency_figure(result)
    assert figure.startswith("<svg")
    assert "cnn:big" in figure
    assert interval_figure(result).startswith("<svg")
    assert figure == latency_figure(result), "the same result gives the same bytes"


def registry_variant(registry: Registry, cnn, tmp_path) -> int:
    copy = tmp_path / "job" / "model.onnx"
    copy.write_bytes(cnn.read_bytes())
    artifact = registry.adopt(copy)
    model = registry.add_model("cnn")
    return registry.add_variant(model, "fp32", artifact, format="onnx", precision="fp32").id


def test_what_cannot_load_is_a_row_with_a_reason(cnn, reference, arguments, job, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model at all")
    result = profile(arguments(reference(cnn, "fp32"), reference(broken, "broken", 2)), job)
    good, bad = result.runs
    assert good.state == "measured"
    assert bad.state == "cannot load"
    assert bad.reason
    assert bad.latency_ms == Percentiles()
    assert result.verdicts == ()
    assert any("cannot load" in line for line in job.logged)
    assert interval_figure(result) == ""
    assert "cnn:fp32" in latency_figure(result)


def test_only_broken_models_are_one_sentence(reference, arguments, job, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"")
    with pytest.raises(StudioError, match="None of the candidates works; cnn:broken: "):
        profile(arguments(reference(broken, "broken")), job)


def test_cancelled_in_the_middle(cnn, reference, arguments, job):
    job.cancel_at = "Round 2 of"
    with pytest.raises(Cancelled):
        profile(arguments(reference(cnn, "fp32"), rounds=1000, seconds=3000), job)


def test_data_is_fed_where_it_is_given(cnn, reference, arguments, job, tmp_path):
    import numpy

    data = tmp_path / "data.npz"
    numpy.savez(data, image=numpy.ones((2, 3, 16, 16), numpy.float32))
    result = profile(arguments(reference(cnn, "fp32"), rounds=2, data=str(data)), job)
    assert result.feeds == (InputFeed("image", "float32", (1, 3, 16, 16)),)
    numpy.savez(data, image=numpy.ones((2, 3, 9, 9), numpy.float32))
    with pytest.raises(InvalidData, match="wants"):
        profile(arguments(reference(cnn, "fp32"), data=str(data)), job)


def test_shapes_are_checked(cnn, reference, arguments, job):
    given = arguments(reference(cnn, "fp32"), rounds=2, shapes=["batch=3"])
    assert profile(given, job).feeds[0].shape == (3, 3, 16, 16)
    with pytest.raises(StudioError, match="which 1x4x16x16 does not fit"):
        profile(arguments(reference(cnn, "fp32"), shapes=["image=1x4x16x16"]), job)
    with pytest.raises(UsageError, match="is not a shape"):
        profile(arguments(reference(cnn, "fp32"), shapes=["image"]), job)


def test_an_unknown_backend_is_named(cnn, reference, arguments, job):
    with pytest.raises(Unavailable, match="Unknown backend 'hamster'"):
        profile(arguments(reference(cnn, "fp32"), backend=["hamster"]), job)
