"""Models in OpenVINO IR and ONNX files, run by OpenVINO on the processor."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from ..shared.errors import LoadError
from .backend_model import (
    Argument,
    Feeds,
    InvalidArgument,
    LoadSettings,
    Pool,
    RunOptions,
    contiguous,
    type_name,
)
from .catalog import OPENVINO
from .failure import first_line

_DTYPES = {"f32": "float32", "f64": "float64", "f16": "float16", "boolean": "bool"}
_DTYPES.update(
    {
        kind + bits: name + bits
        for kind, name in (("u", "uint"), ("i", "int"))
        for bits in ("8", "16", "32", "64")
    }
)


class CancelledRun:
    """Options of a run; the run ends after the layer that is under way once they are terminated."""

    def __init__(self) -> None:
        self._terminated = False
        self._request: Any = None
        self._lock = threading.Lock()

    @property
    def terminate(self) -> bool:
        """Whether the run has to end."""
        return self._terminated

    @terminate.setter
    def terminate(self, value: bool) -> None:
        with self._lock:  # a request that has ended may be another run's already
            self._terminated = value
            if value and self._request is not None:
                self._request.cancel()

    def infer(self, request: Any) -> None:
        """Run a request once."""
        with self._lock:
            self._request = request
        try:
            request.infer()
        finally:
            with self._lock:
                self._request = None


class OpenVinoModel:
    """A compiled model with a request for each run at the same time.

    Float operators compute in float32: what OpenVINO would choose on processors with half
    precision is faster, but gives other numbers than the variant that was evaluated.
    """

    can_end = True
    new_options = CancelledRun

    def __init__(self, path: Path, settings: LoadSettings) -> None:
        import openvino

        self.version = openvino.__version__.split("-")[0]
        self._tensor = openvino.Tensor
        try:
            model = openvino.Core().read_model(str(path))
            compiled = openvino.Core().compile_model(model, "CPU", _properties(settings))
        except RuntimeError as error:
            raise LoadError(
                "{} {} cannot load {}: {}".format(
                    OPENVINO.title, self.version, path.name, first_line(error)
                )
            ) from error
        self._pool: Pool[Any] = Pool(compiled.create_infer_request, compiled.create_infer_request())
        self.inputs = [_argument(port) for port in model.inputs]
        self.outputs = [_argument(port) for port in model.outputs]
        self._inputs = {each.name: number for number, each in enumerate(self.inputs)}
        self._outputs = {each.name: number for number, each in enumerate(self.outputs)}

    def run(
        self, outputs: Sequence[str], feeds: Feeds, options: Optional[RunOptions] = None
    ) -> List[np.ndarray]:
        """Run once; the arrays of the named outputs are copies."""
        request = self._pool.take()
        try:
            return self._infer(request, outputs, feeds, options)
        finally:
            self._pool.give(request)

    def _infer(
        self, request: Any, outputs: Sequence[str], feeds: Feeds, options: Optional[RunOptions]
    ) -> List[np.ndarray]:
        kept = {name: contiguous(array) for name, array in feeds.items()}
        try:
            for name, array in kept.items():
                tensor = self._tensor(array, shared_memory=array.ndim > 0)
                request.set_input_tensor(self._inputs[name], tensor)
        except RuntimeError as error:
            raise InvalidArgument(first_line(error)) from error
        if isinstance(options, CancelledRun):
            options.infer(request)
        else:
            request.infer()
        tensors = (request.get_output_tensor(self._outputs[name]) for name in outputs)
        return [tensor.data.copy() for tensor in tensors]


def _properties(settings: LoadSettings) -> Dict[str, object]:
    properties: Dict[str, object] = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": settings.streams,
        "INFERENCE_PRECISION_HINT": "f32",
        # Several servers share a board: each would pin its threads to the same cores.
        "ENABLE_CPU_PINNING": False,
    }
    if settings.threads:
        properties["INFERENCE_NUM_THREADS"] = settings.threads * settings.streams
    return properties


def _argument(port: Any) -> Argument:
    names = sorted(port.get_names())
    name = str(names[0] if names else port.get_node().get_friendly_name())
    kind = str(port.get_element_type().get_type_name())
    sizes = port.get_partial_shape()
    shape = None
    if not sizes.rank.is_dynamic:
        shape = [int(size.get_length()) if size.is_static else None for size in sizes]
    return Argument(name, type_name(_DTYPES.get(kind, kind)), shape)
