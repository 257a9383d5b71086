"""The backend that runs models of a format here, and models as foreign runtimes take them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from studio.api import Backend, Capability, Extension, Unavailable
from studio.plugin_host import PluginHost

log = logging.getLogger(__name__)

_ONNX, _FOLD, _CONSTANTS = "onnx", "fold", "constants"


def backend_for(form: str, host: PluginHost) -> Backend:
    """Return the first backend for a format, one in this process before those in environments.

    Raises:
        Unavailable: when nothing here can run it.
    """
    offered = host.all(Extension.BACKEND)
    for capability in sorted(offered, key=lambda one: bool(one.extra.get("environment"))):
        if runs(capability, form):
            backend: Backend = host.create(capability)
            return backend
    raise Unavailable(f"No installed backend runs {form} models.")


def runs(capability: Capability, form: str) -> bool:
    """Return whether a backend runs models of a format; one that names none runs all."""
    return form in capability.extra.get("formats", (form,))


def folded(path: Path, form: str, host: PluginHost, folder: Path) -> Path:
    """Return a model without nodes that read constants alone, under its own file name.

    Heads of detectors make grids and anchors of constants by operators that few toolchains know.

    Args:
        folder: For the new file; the path itself comes back where there is nothing to compute.
    """
    if form != _ONNX:
        return path
    fold = host.get(Extension.TRANSFORM, _FOLD)
    constants: Callable[[Path, Path], Path] | None = getattr(fold, _CONSTANTS, None)
    if constants is None:
        return path
    try:
        return constants(path, folder / "folded" / path.name)
    except Exception:  # native errors; the toolchain gets the model as it is, and may know better
        log.info("constants not computed", exc_info=True, extra={"model": path.name})
        return path
