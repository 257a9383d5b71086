"""The backend that runs models of a format here."""

from __future__ import annotations

from studio.api import Backend, Capability, Extension, Unavailable
from studio.plugin_host import PluginHost


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
