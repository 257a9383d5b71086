"""Descriptions of the server and its models: the same documents over REST and gRPC."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence

from ...main import RUNTIME_VERSION
from ..engine.served_model import ServedModel
from ..http.message import HttpError
from ..protocol.json_reader import JsonObject
from ..protocol.tensors import TensorSpec
from ..service import Service
from ..statistics.batch_sizes import BatchCount
from ..statistics.counters import ModelStatistics

EXTENSIONS = ["binary_tensor_data", "model_configuration", "model_repository", "statistics"]


def server() -> Dict[str, object]:
    """Name and version of the server, and what it can do beyond the protocol."""
    return {"name": "edgewright", "version": RUNTIME_VERSION, "extensions": EXTENSIONS}


def check_ready(service: Service) -> None:
    """Whether the server wants to get requests.

    Raises:
        HttpError: 503, when it does not.
    """
    if not service.ready:
        raise HttpError(503, "The server is not ready.")


def metadata(service: Service, model: ServedModel) -> Dict[str, object]:
    """Inputs and outputs of a model."""
    return {
        "name": model.name,
        "versions": service.repository.versions(model.name),
        "platform": _platform(model),
        "inputs": [_tensor(spec) for spec in model.inputs.values()],
        "outputs": [_tensor(spec) for spec in model.outputs.values()],
        "parameters": {"digest": model.source.digest, "precision": model.source.precision},
    }


def _platform(model: ServedModel) -> str:
    """Return backend and format, ``onnxruntime_onnx``, as Triton's platforms are written."""
    suffix = model.source.path.suffix.lower().lstrip(".")
    return "{}_{}".format(model.source.backend.id, {"xml": "ir"}.get(suffix, suffix or "onnx"))


def _tensor(spec: TensorSpec) -> Dict[str, object]:
    return {"name": spec.name, "datatype": spec.kind.name, "shape": list(spec.shape)}


def config(model: ServedModel) -> JsonObject:
    """Return a model in the words of Triton's configuration, for clients that ask for it."""
    return {
        "name": model.name,
        "platform": _platform(model),
        "backend": model.source.backend.id,
        "max_batch_size": 0,
        "input": [_configured(spec) for spec in model.inputs.values()],
        "output": [_configured(spec) for spec in model.outputs.values()],
    }


def _configured(spec: TensorSpec) -> Dict[str, object]:
    return {"name": spec.name, "data_type": spec.kind.config, "dims": list(spec.shape)}


def counted_models(service: Service, name: str = "", version: str = "") -> List[ServedModel]:
    """Return the models whose statistics are requested: one version, all of a name, or all.

    Raises:
        HttpError: 404, when the name or the version is unknown.
    """
    if not name:
        return service.repository.all()
    found = service.repository.find(name, version)
    if version:
        return [found]
    return [model for model in service.repository.all() if model.name == found.name]


def statistics(models: Sequence[ServedModel]) -> Dict[str, object]:
    """Counts and durations of models."""
    return {"model_stats": [_statistics(model) for model in models]}


def _statistics(model: ServedModel) -> Dict[str, object]:
    counted = model.statistics
    counted.settle()
    return {
        "name": model.name,
        "version": model.version,
        "last_inference": counted.last_inference_ms,
        "inference_count": counted.inferences,
        "execution_count": counted.executions,
        "inference_stats": _durations(counted),
        "response_stats": {},
        "batch_stats": [_batch(count) for count in counted.batches],
        "memory_usage": [],
    }


def _durations(counted: ModelStatistics) -> Dict[str, Mapping[str, int]]:
    totals = counted.totals_s
    return {
        "success": _entry(counted.success, totals.total),
        "fail": _entry(counted.failed, counted.failed_s),
        "queue": _entry(counted.success, totals.queue),
        "compute_input": _entry(counted.success, totals.compute_input),
        "compute_infer": _entry(counted.success, totals.compute_infer),
        "compute_output": _entry(counted.success, totals.compute_output),
        "cache_hit": _entry(0, 0.0),
        "cache_miss": _entry(0, 0.0),
    }


def _batch(count: BatchCount) -> Dict[str, object]:
    return {
        "batch_size": count.rows,
        "compute_input": _entry(count.runs, count.compute_input),
        "compute_infer": _entry(count.runs, count.compute_infer),
        "compute_output": _entry(count.runs, count.compute_output),
    }


def _entry(count: int, seconds: float) -> Dict[str, int]:
    return {"count": count, "ns": int(seconds * 1e9)}
