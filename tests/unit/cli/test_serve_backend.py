"""The Python that ``studio serve`` starts the runtime with: that of the model's backend."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from studio.api import Unavailable
from studio.cli.commands import serve
from studio.plugin_host import PluginHost
from studio.runtime.backends.catalog import BACKENDS

OTHERS = [one for one in BACKENDS.values() if one.id != "onnxruntime"]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PluginHost:
    """Plugins without any environment."""
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    return PluginHost.discover()


def test_onnx_runtime_is_that_of_the_studio(host: PluginHost, tmp_path: Path) -> None:
    command = serve._runtime(BACKENDS["onnxruntime"], host, tmp_path)
    assert (command[0], command[-1]) == (sys.executable, "studio.runtime")


@pytest.mark.parametrize("backend", OTHERS, ids=lambda one: one.id)
def test_a_missing_backend_names_its_installation(
    host: PluginHost, tmp_path: Path, backend: serve.ServingBackend
) -> None:
    with pytest.raises(Unavailable) as missing:
        serve._runtime(backend, host, tmp_path)
    assert f"studio backends install {backend.id}" in missing.value.hint


def test_an_installed_backend_runs_the_application_of_boards(
    host: PluginHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Installed:
        python = "/environment/bin/python"

    monkeypatch.setattr(host, "get", lambda point, name: Installed())
    python, application = serve._runtime(BACKENDS["llama-cpp"], host, tmp_path)
    assert python == "/environment/bin/python"
    assert Path(application).stat().st_size > 0
