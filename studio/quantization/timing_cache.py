"""What was timed on this machine for looks ahead, kept beside the registry for the next one."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.jobs import Arguments, Result
from studio.quantization import presets
from studio.registry import Registry
from studio.settings import write_atomically

_FILE = "timings.json"
_DAYS = 7.0
"""After so long machines are timed again: other kernels, another governor, other neighbours."""

_MOST = 2000
"""Layers that are kept; then all begins anew."""


class TimingCache:
    """The part of the kept times that one runtime and one kind of bytes made.

    What is added goes into the arguments' ``timings``, which the worker hands back.

    Attributes:
        whole: All that a transform's ``outlook`` gave; empty where nothing is kept.
    """

    def __init__(self, arguments: Arguments, version: str, options: Mapping[str, Any]) -> None:
        every = arguments.get("timings")
        self._every: dict[str, Any] = every if isinstance(every, dict) else {}
        self._key = f"{version}|{options.get('activations', '')}"
        self.whole: dict[str, Any] = dict(self._every.get(self._key) or {})

    @property
    def layers(self) -> Mapping[str, Any]:
        """Microseconds of layers in float and in int8, by key."""
        found: Mapping[str, Any] = self.whole.get("layers") or {}
        return found

    def add(self, measured: Mapping[str, Any]) -> None:
        """Keep what was measured now with what is known."""
        layers = {**self.layers, **measured["layers"]} if len(self.layers) < _MOST else {}
        self.whole = {**measured, "layers": layers or dict(measured["layers"])}
        self._every[self._key] = self.whole


def offered(registry: Registry, arguments: Arguments) -> Arguments:
    """What ``presets.prepare`` gives, with the times that are kept of this machine."""
    return {**presets.prepare(registry, arguments), "timings": _read(_place(registry))}


def kept(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the times; the rest of the result is not recorded."""
    found = dict(result)
    timings = found.pop("timings", None)
    if timings and timings != arguments.get("timings"):
        text = json.dumps({"machine": _machine(), "at": time.time(), "timings": timings})
        write_atomically(_place(registry), text.encode())
    return found


def _place(registry: Registry) -> Path:
    return registry.folder.parent / _FILE


def _read(path: Path) -> dict[str, Any]:
    """The times of this machine; none where the file is of another, old, or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        fresh = 0 <= time.time() - float(found["at"]) < _DAYS * 86400
        if fresh and found["machine"] == _machine():
            return dict(found["timings"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {}


def _machine() -> str:
    """Which processor this is."""
    model = ""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
        model = next((line for line in lines if line.startswith("model name")), "")
    except OSError:
        pass
    return f"{platform.node()} {platform.machine()} {model.partition(':')[2].strip()}"
