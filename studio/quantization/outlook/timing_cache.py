"""Timings of this machine for pre-flight checks, stored next to the registry."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from studio.documents.dataclass_json import from_json, to_json
from studio.lazy_dataclass import dataclass
from studio.quantization import presets
from studio.quantization.outlook.layer_shapes import LayerShape
from studio.quantization.results import MachineTimings, PreflightResult
from studio.quantization.step import PreviewOptions
from studio.registry import Registry
from studio.settings import write_atomically

_FILE = "timings.json"
_DAYS = 7.0
"""Days after which a machine is timed again: kernels, governor and other load may change."""

_MOST = 2000
"""Most layers in the cache; beyond it the cache is rebuilt."""


Measure = Callable[[Mapping[str, object], Sequence[LayerShape]], Mapping[str, object]]
"""A transform's ``outlook``: times layers of some shapes, and what is no layer."""


class TimingCache:
    """The times of one machine, of which one runtime and one kind of bytes made a part.

    Attributes:
        timings: All parts, those that were added too.
    """

    def __init__(self, timings: Mapping[str, MachineTimings], version: str) -> None:
        self.timings, self._version = dict(timings), version

    def measured(
        self, options: Mapping[str, object], shapes: Sequence[LayerShape], measure: Measure
    ) -> MachineTimings:
        """Return what was timed before, and now the layers that were not."""
        key = f"{self._version}|{options.get('activations', '')}"
        known = self.timings.get(key)
        missing = [one for one in shapes if known is None or one.key not in known.layers]
        if known is not None and not missing:
            return known
        measured = from_json(MachineTimings, measure(options, missing))
        if known is not None and len(known.layers) < _MOST:
            measured = replace(measured, layers={**known.layers, **measured.layers})
        self.timings[key] = measured
        return measured


def offered(registry: Registry, options: PreviewOptions) -> PreviewOptions:
    """Return the result of ``presets.prepare``, with the stored times of this machine."""
    return replace(presets.prepare(registry, options), timings=_read(_place(registry)))


def record(
    registry: Registry, options: PreviewOptions, result: PreflightResult, folder: Path
) -> PreflightResult:
    """Keep the times; the rest of the result is not recorded."""
    if result.timings and result.timings != options.timings:
        file = _TimingFile(_machine(), time.time(), result.timings)
        write_atomically(_place(registry), json.dumps(to_json(file)).encode())
    return replace(result, timings=None)


@dataclass(frozen=True, slots=True)
class _TimingFile:
    """The file: which machine it is of, when it was written, the times by runtime."""

    machine: str
    at: float
    timings: Mapping[str, MachineTimings]


def _place(registry: Registry) -> Path:
    return registry.folder.parent / _FILE


def _read(path: Path) -> Mapping[str, MachineTimings]:
    """Return the times of this machine, or none from a foreign, old or damaged file."""
    try:
        file = from_json(_TimingFile, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
    # A time in the future means that a clock was set back: the age is unknown.
    fresh = 0 <= time.time() - file.at < _DAYS * 86400
    return file.timings if fresh and file.machine == _machine() else {}


def _machine() -> str:
    """Return the processor's name."""
    model = ""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
        model = next((line for line in lines if line.startswith("model name")), "")
    except OSError:
        pass
    return f"{platform.node()} {platform.machine()} {model.partition(':')[2].strip()}"
