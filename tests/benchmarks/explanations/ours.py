"""Our side of the benchmark: the methods over ONNX Runtime, as the step explain runs them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from studio.api import Silent
from studio.evaluation.session_pool import abreast, answers
from studio.features.evidence.explanations.methods.attribution import Attribution
from studio.features.evidence.explanations.methods.integrated_gradients import along_the_way
from studio.features.evidence.explanations.methods.kernel_shap import kernel_shap
from studio.features.evidence.explanations.methods.occlusion import occlusion
from studio.features.evidence.explanations.methods.perturbation import Perturbation, each, tiles
from studio.features.evidence.explanations.methods.rise import rise
from studio.features.evidence.explanations.methods.scorer import ModelScorer
from studio.features.evidence.explanations.methods.shapley import shapley
from studio_onnx.gradient.input_gradient import InputGradient
from studio_onnxruntime.backend import OnnxRuntime
from tests.benchmarks.explanations.scenes import serve

_sessions: dict[str, Any] = {}


def session(path: str) -> Any:
    """Load a model once."""
    if path not in _sessions:
        file, backend = Path(path), OnnxRuntime()
        size = file.stat().st_size
        _sessions[path] = abreast(lambda threads: backend.load(file, {"threads": threads}), size)
    return _sessions[path]


def explain(request: dict[str, Any]) -> dict[str, Any]:
    """Explain each sample of a file; returns seconds of each and writes the maps."""
    with np.load(request["samples"]) as file:
        samples, classes = file["samples"], file["classes"]
    loaded = session(request["model"])
    maps, wall, busy, prepared = [], [], [], []
    for number, (sample, kind) in enumerate(zip(samples, classes, strict=True)):
        batch = sample[None]
        name, output = loaded.input_names[0], loaded.output_names[0]
        scorer = ModelScorer(
            lambda runs: (one for _, one in answers(loaded, runs)), name, {name: batch},
            lambda outputs, kind=int(kind), output=output: outputs[output][:, kind].astype(float),
            is_batched=True,
        )  # fmt: skip
        begin = time.perf_counter()
        slopes = _slopes(request, int(kind), name, batch)
        prepared.append(time.perf_counter() - begin)
        is_row = batch.ndim == 2
        shape = (batch.shape[1],) if is_row else batch.shape[2:]
        features = each(shape) if is_row else tiles(shape, 7)
        axes = (1,) if is_row else (2, 3)
        begin, begin_busy = time.perf_counter(), time.process_time()
        altered = Perturbation(batch, np.zeros_like(batch), axes, features)
        found = _found(request, slopes or scorer, altered, request["seed"] + number)
        wall.append(time.perf_counter() - begin)
        busy.append(time.process_time() - begin_busy)
        values = found.values
        maps.append(values[features] if found.by_feature and not is_row else values)
    np.savez(request["out"], maps=np.array(maps))
    return {"wall_s": wall, "cpu_s": busy, "prepare_s": prepared}


def _slopes(request: dict[str, Any], kind: int, name: str, batch: np.ndarray) -> Any:
    """Return the gradients of a class, from a copy of the model that is written for it."""
    if request["method"] != "integrated-gradients":
        return None
    key = f"{request['model']} {kind}"
    if key not in _sessions:
        with tempfile.TemporaryDirectory() as place:
            copy = Path(place) / "gradient.onnx"
            options = {"number": kind, "name": "gradient"}
            InputGradient().apply(Path(request["model"]), copy, options, None, Silent())
            _sessions[key] = session(str(copy))
    loaded = _sessions[key]
    return ModelScorer(
        lambda runs: (one for _, one in answers(loaded, runs)), name, {name: batch},
        lambda outputs: outputs["gradient"].astype(float), is_batched=True,
    )  # fmt: skip


def _found(request: dict[str, Any], scorer: Any, altered: Perturbation, seed: int) -> Any:
    method, evaluations = request["method"], request["evaluations"]
    if method == "integrated-gradients":
        return Attribution(along_the_way(scorer, altered, evaluations))
    if method == "rise":
        return rise(scorer, altered, evaluations, seed)
    if method == "occlusion":
        return occlusion(scorer, altered, evaluations)
    if method == "shapley":
        return shapley(scorer, altered, evaluations)
    return kernel_shap(scorer, altered, evaluations, seed)


if __name__ == "__main__":
    serve(explain)
