"""The REST endpoints of the Open Inference Protocol v2, with Triton's statistics and index."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ..main import RUNTIME_VERSION
from .batch_statistics import BatchCount
from .http.connection import Exchange
from .http.message import HttpError, Response
from .model import ServedModel
from .routes import Route
from .service import Service
from .statistics import ModelStatistics
from .tensors import TensorSpec

Names = Mapping[str, str]
EXTENSIONS = ["binary_tensor_data", "model_configuration", "model_repository", "statistics"]


def _model(service: Service, names: Names) -> ServedModel:
    return service.repository.find(names["model"], names.get("version", ""))


def server_metadata(service: Service, exchange: Exchange, names: Names) -> Response:
    """Name and version of the server, and what it can do beyond the protocol."""
    return Response.of({"name": "edgewright", "version": RUNTIME_VERSION, "extensions": EXTENSIONS})


def server_live(service: Service, exchange: Exchange, names: Names) -> Response:
    """The process answers."""
    return Response.of({"live": True})


def server_ready(service: Service, exchange: Exchange, names: Names) -> Response:
    """All models are loaded, and the server is not about to end."""
    if not service.ready or not service.repository.all():
        raise HttpError(503, "The server is not ready.")
    return Response.of({"ready": True})


def model_ready(service: Service, exchange: Exchange, names: Names) -> Response:
    """The version is loaded."""
    model = _model(service, names)
    if not service.ready:
        raise HttpError(503, "The server is not ready.")
    return Response.of({"name": model.name, "ready": True})


def model_metadata(service: Service, exchange: Exchange, names: Names) -> Response:
    """Inputs and outputs of a model."""
    model = _model(service, names)
    document = {
        "name": model.name,
        "versions": service.repository.versions(model.name),
        "platform": "onnxruntime_onnx",
        "inputs": [_tensor(spec) for spec in model.inputs.values()],
        "outputs": [_tensor(spec) for spec in model.outputs.values()],
        "parameters": {"digest": model.source.digest, "precision": model.source.precision},
    }
    return _named(Response.of(document), model)


def _tensor(spec: TensorSpec) -> Dict[str, Any]:
    return {"name": spec.name, "datatype": spec.kind.name, "shape": list(spec.shape)}


def _named(response: Response, model: ServedModel) -> Response:
    response.headers = model.headers
    return response


def model_config(service: Service, exchange: Exchange, names: Names) -> Response:
    """A model in the words of Triton's configuration, for clients that ask for it."""
    model = _model(service, names)
    document = {
        "name": model.name,
        "platform": "onnxruntime_onnx",
        "backend": "onnxruntime",
        "max_batch_size": 0,
        "input": [_configured(spec) for spec in model.inputs.values()],
        "output": [_configured(spec) for spec in model.outputs.values()],
    }
    return _named(Response.of(document), model)


def _configured(spec: TensorSpec) -> Dict[str, Any]:
    return {"name": spec.name, "data_type": spec.kind.config, "dims": list(spec.shape)}


def model_infer(service: Service, exchange: Exchange, names: Names) -> Optional[Response]:
    """Run the model."""
    return service.infer(exchange, _model(service, names))


def model_statistics(service: Service, exchange: Exchange, names: Names) -> Response:
    """Counts and durations of one model, or of all."""
    if "model" not in names:
        models = service.repository.all()
    elif "version" in names:
        models = [_model(service, names)]
    else:
        name = _model(service, names).name
        models = [m for m in service.repository.all() if m.name == name]
    return Response.of({"model_stats": [_statistics(model) for model in models]})


def _statistics(model: ServedModel) -> Dict[str, Any]:
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


def _durations(counted: ModelStatistics) -> Dict[str, Dict[str, int]]:
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


def _batch(count: BatchCount) -> Dict[str, Any]:
    return {
        "batch_size": count.rows,
        "compute_input": _entry(count.runs, count.compute_input),
        "compute_infer": _entry(count.runs, count.compute_infer),
        "compute_output": _entry(count.runs, count.compute_output),
    }


def _entry(count: int, seconds: float) -> Dict[str, int]:
    return {"count": count, "ns": int(seconds * 1e9)}


_MODEL = "/v2/models/{model}"
_VERSION = _MODEL + "/versions/{version}"

ROUTES = (
    Route("GET", "/v2", server_metadata),
    Route("GET", "/v2/health/live", server_live, probe=True),
    Route("GET", "/v2/health/ready", server_ready, probe=True),
    Route("GET", "/v2/models/stats", model_statistics),
    Route("GET", _MODEL, model_metadata),
    Route("GET", _MODEL + "/ready", model_ready),
    Route("GET", _MODEL + "/config", model_config),
    Route("GET", _MODEL + "/stats", model_statistics),
    Route("POST", _MODEL + "/infer", model_infer),
    Route("GET", _VERSION, model_metadata),
    Route("GET", _VERSION + "/ready", model_ready),
    Route("GET", _VERSION + "/config", model_config),
    Route("GET", _VERSION + "/stats", model_statistics),
    Route("POST", _VERSION + "/infer", model_infer),
)
