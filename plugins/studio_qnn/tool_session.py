"""Sessions of ONNX Runtime with QNN's provider, for one chip and for fixed sizes.

Used by the tool next to it. It needs ONNX Runtime and the standard library alone.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import onnxruntime
import onnxruntime_qnn

Sizes = Mapping[str, Sequence[int]]

_PROVIDER = "QNNExecutionProvider"
_PRINTED = (1, 2)
_MOST_PRINTED = 1 << 28

_VERBOSE, _ERRORS = 0, 3


class Uncompilable(Exception):
    """A model that cannot be compiled; the text is its reason.

    Attributes:
        edits: Edits after which it may be.
    """

    def __init__(self, reason: str, edits: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.edits = list(edits)


class Maker:
    """Sessions of one model.

    Attributes:
        fixed: Sizes that the model leaves open and that are fixed here, by the names of the model.
        has_floats: Whether the NPU computes in floats, too.
        printed: The log of the last compilation.
    """

    def __init__(self, model: str, settings: Mapping[str, Any], inputs: Sizes) -> None:
        self._model, self._settings = model, settings
        self._free = _open_sizes(model, inputs)
        self.fixed = [f"{name}={size}" for name, size in self._free.items()]
        self.has_floats = bool(settings.get("floats", True))
        self.printed = ""
        if _PROVIDER not in {one.ep_name for one in onnxruntime.get_ep_devices()}:
            onnxruntime.register_execution_provider_library(
                _PROVIDER, onnxruntime_qnn.get_library_path()
            )

    def compile(self, path: str, *, alone: bool) -> str:
        """Write the compiled model; return the reason of a failure, else an empty text.

        Args:
            alone: Whether the chip has to run every node.
        """
        options = self._options(_VERBOSE)
        options.add_session_config_entry("ep.context_enable", "1")
        options.add_session_config_entry("ep.context_file_path", path)
        options.add_session_config_entry("ep.context_embed_mode", "1")
        if alone:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        reason = ""
        with _caught() as printed:
            try:
                onnxruntime.InferenceSession(self._model, options)
            except Exception as error:  # of the bindings, which have a class for each status
                reason = _one_line(str(error))
        self.printed = printed[0]
        return reason

    def session(self) -> Any:
        """Return a session that runs."""
        try:
            return onnxruntime.InferenceSession(self._model, self._options(_ERRORS))
        except Exception as error:
            raise Uncompilable(_one_line(str(error))) from None

    def _options(self, severity: int) -> Any:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = severity
        # Fusions for the processor would hide the names of the nodes that are left to it.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        for name, size in self._free.items():
            options.add_free_dimension_override_by_name(name, size)
        devices = [one for one in onnxruntime.get_ep_devices() if one.ep_name == _PROVIDER]
        provider = {
            "backend_path": onnxruntime_qnn.get_qnn_htp_path(),
            "soc_model": str(self._settings["soc_model"]),
            "htp_arch": str(self._settings["htp_arch"]),
            # The chip itself rounds the inputs, and makes floats of the outputs.
            "offload_graph_io_quantization": "0",
        }
        options.add_provider_for_devices(devices[:1], provider)
        return options


def _open_sizes(model: str, inputs: Sizes) -> dict[str, int]:
    """Return the open sizes of a model by their names.

    Raises:
        Uncompilable: when one has no name, or two sizes have the same.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise Uncompilable(_one_line(str(error))) from None
    found: dict[str, int] = {}
    for one in session.get_inputs():
        sizes = inputs.get(one.name, one.shape)
        for name, size in zip(one.shape, sizes, strict=True):
            fixed = ",".join(map(str, sizes))
            edit = f"dimensions {one.name}={fixed}"
            if name is None or (isinstance(name, str) and found.get(name, size) != size):
                text = f"the NPU needs fixed sizes, and {one.name} has open ones"
                raise Uncompilable(f'{text}; studio edit MODEL --edit "{edit}" fixes them', [edit])
            if isinstance(name, str):
                found[name] = int(size)
    return found


@contextmanager
def _caught() -> Iterator[list[str]]:
    """Catch what native code prints; the list has the text as soon as the call has ended."""
    found: list[str] = []
    with tempfile.TemporaryFile() as file:
        _flush()
        kept = [os.dup(number) for number in _PRINTED]
        try:
            for number in _PRINTED:
                os.dup2(file.fileno(), number)
            yield found
        finally:
            _flush()
            for number, own in zip(_PRINTED, kept, strict=True):
                os.dup2(own, number)
                os.close(own)
            file.seek(0)
            found.append(file.read(_MOST_PRINTED).decode(errors="replace"))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def _one_line(text: str) -> str:
    """Return the message of an error without its codes."""
    return " ".join(text.rpartition(" : ")[2].split()).rstrip(".")[:500]
