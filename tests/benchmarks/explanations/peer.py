"""Worker with shap, captum and OpenVINO XAI, run by an interpreter that has them."""

from __future__ import annotations

import contextlib
import io
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients, KernelShap, Occlusion
from scenes import LAYERS, WIDE, composed, crops, network, serve
from torch import nn

_models: dict[str, Any] = {}
_BATCH = 64


def _twin(path: str) -> nn.Module:
    """The PyTorch model with the weights of an ONNX file."""
    import onnx
    from onnx import numpy_helper

    if path in _models:
        return _models[path]
    given = {one.name: torch.tensor(numpy_helper.to_array(one).copy())
             for one in onnx.load(path).graph.initializer}  # fmt: skip
    if "dense" in given:
        model: nn.Module = _wide(given)
    elif "conv1.weight" in given:
        model = _digits(given)
    elif "w4" in given:
        model = scenes_model()
        with torch.no_grad():
            for number, layer in enumerate(m for m in model.modules() if isinstance(m, nn.Conv2d)):
                layer.weight.copy_(given[f"w{number}"])
                layer.bias.copy_(given[f"b{number}"])
    else:
        model = _Rows(given)
    _models[path] = model.eval()
    return _models[path]


class _Rows(nn.Module):
    def __init__(self, given: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self._given = given

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        first = rows @ self._given["w0"]
        return torch.tanh(first) @ self._given["w1"] if "w1" in self._given else first


class _Largest(nn.Module):
    def forward(self, places: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(places.amax(dim=(2, 3)))


def scenes_model() -> nn.Module:
    """The classifier of scenes, as ``scenes.network`` writes it."""
    layers: list[nn.Module] = []
    for before, after, pooled in LAYERS:
        layers += [nn.Conv2d(before, after, 3), nn.ReLU()]
        if pooled:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Conv2d(64, 10, 1), _Largest())


def _digits(given: dict[str, torch.Tensor]) -> nn.Module:
    """The classifier of the sample digits, whose constants have the names of its layers."""
    layers = nn.ModuleDict({
        "conv1": nn.Conv2d(1, 32, 3, padding=1), "conv2": nn.Conv2d(32, 64, 3, padding=1),
        "dense": nn.Linear(1024, 10),
    })  # fmt: skip
    layers.load_state_dict({**given, "dense.weight": given["dense.weight"].T})
    return nn.Sequential(
        layers["conv1"], nn.ReLU(), layers["conv2"], nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        layers["dense"],
    )  # fmt: skip


def _wide(given: dict[str, torch.Tensor]) -> nn.Module:
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(WIDE):
        layer = nn.Conv2d(before, after, 3, padding=1, stride=2 if number < 4 else 1)
        with torch.no_grad():
            layer.weight.copy_(given[f"w{number}"])
            layer.bias.copy_(given[f"b{number}"])
        layers += [layer, nn.ReLU()]
    dense = nn.Linear(128, 100, bias=False)
    with torch.no_grad():
        dense.weight.copy_(given["dense"].T)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), dense, nn.Softmax(dim=1))


def train(request: dict[str, Any]) -> dict[str, Any]:
    """Train the classifier of scenes and write it as ONNX."""
    with np.load(request["digits"]) as file:
        digits, labels = file["image"][:300], file["labels"][:300]
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the crops are too small for several
    model = scenes_model()
    steps = request["steps"]
    optimizer = torch.optim.Adam(model.parameters(), 4e-3)
    for step in range(steps):
        pictures, classes = crops(composed(digits, labels, 16, step), step)
        loss = nn.functional.binary_cross_entropy(
            model(torch.tensor(pictures)), torch.tensor(classes)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    weights = {}
    convolutions = [one for one in model.modules() if isinstance(one, nn.Conv2d)]
    for number, layer in enumerate(convolutions):
        weights[f"w{number}"] = layer.weight.detach().numpy()
        weights[f"b{number}"] = layer.bias.detach().numpy()
    network(weights, Path(request["out"]))
    return {"loss": float(loss.detach())}


def explain(request: dict[str, Any]) -> dict[str, Any]:
    """Explain each sample of a file; returns seconds of each and writes the maps."""
    if request["method"] == "train":
        return train(request)
    with np.load(request["samples"]) as file:
        samples, classes = file["samples"], file["classes"]
    run = {
        "xai-rise": _xai, "occlusion": _occlusion, "captum-shap": _kernel, "shap": _shap,
        "integrated-gradients": _gradients,
    }  # fmt: skip
    prepared = run[request["method"]](request)
    maps, wall, busy = [], [], []
    with contextlib.redirect_stderr(io.StringIO()):
        for number, (sample, kind) in enumerate(zip(samples, classes, strict=True)):
            begin, begin_busy = time.perf_counter(), time.process_time()
            maps.append(prepared(sample[None], int(kind), request["seed"] + number))
            wall.append(time.perf_counter() - begin)
            busy.append(time.process_time() - begin_busy)
    np.savez(request["out"], maps=np.array(maps))
    return {"wall_s": wall, "cpu_s": busy}


def _xai(request: dict[str, Any]) -> Any:
    import openvino as ov
    from openvino_xai.methods.black_box.rise import RISE

    key = "xai " + request["model"]
    if key not in _models:
        model = ov.Core().read_model(request["model"])
        shape = model.inputs[0].partial_shape
        shape[0] = 1
        model.reshape(shape)
        _models[key] = RISE(model, lambda found: next(iter(found.values())))
    method = _models[key]

    def run(sample: np.ndarray, kind: int, seed: int) -> np.ndarray:
        found = method.generate_saliency_map(
            sample, [kind], num_masks=request["evaluations"], num_cells=request["cells"],
            seed=seed, scale_output=False,
        )  # fmt: skip
        return found[kind]

    return run


def _occlusion(request: dict[str, Any]) -> Any:
    method = Occlusion(_twin(request["model"]))
    window, stride = request["window"], request["stride"]

    def run(sample: np.ndarray, kind: int, seed: int) -> np.ndarray:
        with torch.no_grad():
            found = method.attribute(
                torch.tensor(sample), target=kind, baselines=0, strides=(1, stride, stride),
                sliding_window_shapes=(sample.shape[1], window, window),
                perturbations_per_eval=_BATCH,
            )  # fmt: skip
        return found[0].mean(dim=0).numpy()

    return run


def _gradients(request: dict[str, Any]) -> Any:
    method = IntegratedGradients(_twin(request["model"]))

    def run(sample: np.ndarray, kind: int, seed: int) -> np.ndarray:
        found = method.attribute(
            torch.tensor(sample), target=kind, baselines=0, n_steps=request["evaluations"],
            internal_batch_size=_BATCH,
        )  # fmt: skip
        values = found[0].detach().numpy()
        return values.sum(axis=0) if sample.ndim == 4 else values

    return run


def _kernel(request: dict[str, Any]) -> Any:
    method = KernelShap(_twin(request["model"]))

    def run(sample: np.ndarray, kind: int, seed: int) -> np.ndarray:
        torch.manual_seed(seed)
        mask = None
        if sample.ndim == 4:
            edge = -(-sample.shape[2] // 7)
            count = -(-sample.shape[2] // edge)
            line = np.minimum(np.arange(sample.shape[2]) // edge, count - 1)
            mask = torch.tensor(line[:, None] * count + line[None, :])[None, None]
        with torch.no_grad():
            found = method.attribute(
                torch.tensor(sample), target=kind, baselines=0, feature_mask=mask,
                n_samples=request["evaluations"], perturbations_per_eval=_BATCH,
            )  # fmt: skip
        values = found[0].numpy()
        return values.mean(axis=0) if sample.ndim == 4 else values

    return run


def _shap(request: dict[str, Any]) -> Any:
    import onnxruntime
    import shap

    session = onnxruntime.InferenceSession(request["model"])

    def model(rows: np.ndarray) -> np.ndarray:
        return session.run(None, {"x": rows.astype(np.float32)})[0][:, 0]

    def run(sample: np.ndarray, kind: int, seed: int) -> np.ndarray:
        np.random.seed(seed)
        explainer = shap.KernelExplainer(model, np.zeros_like(sample))
        return explainer.shap_values(
            sample, nsamples=request["evaluations"], l1_reg=0, silent=True
        )[0]

    return run


if __name__ == "__main__":
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    serve(explain)
