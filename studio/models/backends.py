"""The backend that runs models of a format here."""

from __future__ import annotations

from studio.api import Backend, Extension, Unavailable
from studio.plugin_host import PluginHost


def backend_for(form: str, host: PluginHost) -> Backend:
    """The first backend for a format.

    Raises:
        Unavailable: when nothing here can run it.
    """
    for capability in host.all(Extension.BACKEND):
        if form in capability.extra.get("formats", (form,)):
            backend: Backend = host.create(capability)
            return backend
    raise Unavailable(f"No backend here can run {form} models.")
