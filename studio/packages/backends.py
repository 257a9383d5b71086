"""The backends that serve a model's format on targets, and what they need there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue
from studio.runtime.backends.catalog import (
    BACKENDS,
    LITERT,
    LLAMA_CPP,
    ONNX_GENAI,
    ONNX_RUNTIME,
    OPENVINO,
    OPENVINO_GENAI,
    ServingBackend,
)

SERVED: Mapping[str, tuple[ServingBackend, ...]] = {
    "onnx": (ONNX_RUNTIME, OPENVINO),
    "tflite": (LITERT,),
    "openvino": (OPENVINO,),
}
"""Format -> its backends. The first one serves it by default, and answers the golden samples."""

SERVED_LANGUAGE: Mapping[str, tuple[ServingBackend, ...]] = {
    "gguf": (LLAMA_CPP,),
    "onnx": (ONNX_GENAI,),
    "openvino": (OPENVINO_GENAI,),
}
"""The same for models that generate text."""

REFERENCE_OPTIONS: Mapping[str, Mapping[str, JsonValue]] = {
    # One thread: the same sums in the same order.
    ONNX_RUNTIME.id: {"threads": 1},
    LITERT.id: {"threads": 1},
    OPENVINO.id: {"threads": 1, "precision": "f32"},
}
"""Options of a backend that answers golden samples."""


def serving_backend(
    form: str, wanted: str | None = None, *, language: bool = False
) -> ServingBackend:
    """Return the backend that serves models of a format.

    Args:
        wanted: Id of a backend; None for the default.
        language: Whether the model generates text.

    Raises:
        UsageError: when it serves no models of the format, or none does.
    """
    offered = (SERVED_LANGUAGE if language else SERVED).get(form, ())
    if not offered:
        raise UsageError(f"No backend on targets serves {form} models.")
    if not wanted:
        return offered[0]
    for one in offered:
        if one.id == wanted:
            return one
    raise UsageError(
        f"The backend {wanted} serves no {form} models.",
        hint=f"Choose {' or '.join(one.id for one in offered)}.",
    )


def backends_among(packages: Collection[str]) -> dict[str, str]:
    """Return the requirements of the backends among Python packages that a target has named.

    Nothing else from a target becomes a requirement.
    """
    found = (one for one in BACKENDS.values() if one.distribution in packages)
    return {one.distribution: f">={one.oldest}" for one in found}


def requirements_of(backend: ServingBackend) -> dict[str, str]:
    """Return the Python packages of a server; older versions were not tested."""
    more = dict.fromkeys(backend.more, "")
    return {"numpy": ">=1.19", backend.distribution: f">={backend.oldest}", **more}
