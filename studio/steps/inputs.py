"""The digest of all that a step's result follows from: options, files, models, tools, machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

from studio.api import Kind, Option
from studio.jobs import AnyStep, Effect
from studio.plugin_host import PluginHost
from studio.plugin_host.tool_versions import known_version as known_version
from studio.plugin_host.tool_versions import tools as tools
from studio.registry import Registry, file_digest, folder_digest
from studio.registry.targets import LOCAL
from studio.steps.resolve import Resolved, beside

_FORMAT = 1


def input_digest(step: AnyStep, resolved: Resolved, registry: Registry, plugins: PluginHost) -> str:
    """SHA-256 of what a step is given; equal ones give equal results.

    Raises:
        OSError: when a file cannot be read.
    """
    options = {
        option.name: _option(option, resolved.arguments[option.name]) for option in step.form
    }
    document: dict[str, Any] = {
        "format": _FORMAT,
        "step": step.name,
        "options": options,
        "tools": tools(plugins),
    }
    if step.effect is Effect.MEASURES:
        document["machine"] = _machine(resolved, registry)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def path_digest(path: Path) -> str:
    """SHA-256 of a file or of a folder's listing."""
    return folder_digest(path) if path.is_dir() else file_digest(path)


def _option(option: Option, value: Any) -> Any:
    if value is None:
        return None
    if option.many:
        return [_one(option, item) for item in value]
    return _one(option, value)


def _one(option: Option, value: Any) -> Any:
    if option.kind is Kind.MODEL:
        return {key: value[key] for key in ("digest", "format", "precision", "model_name", "name")}
    if option.kind is Kind.TARGET:
        return {key: value[key] for key in ("name", "url")}
    if option.kind in (Kind.FILE, Kind.FOLDER, Kind.DATA):
        path = Path(value)
        companions = {one.name: file_digest(one) for one in beside(path, option)}
        name = path.name if option.kind is Kind.FILE else path.suffix
        return {"name": name, "digest": path_digest(path), "beside": companions}
    return value


def _machine(resolved: Resolved, registry: Registry) -> dict[str, Any]:
    """Return where figures are measured; what was learned of a target belongs to it."""
    name = resolved.target
    facts = registry.facts(name) if name != LOCAL.name else {}
    here = (platform.node(), platform.machine(), platform.release(), os.cpu_count(), _processor())
    return {"here": here, "facts": facts, "bits": sys.maxsize.bit_length()}


@cache
def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line), ""
    )
