"""The edits that the plugins offer for a model, as JSON for who may not import a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from studio.api import Extension, Kind, Option, Transform
from studio.jobs.step import Arguments, Job, Result
from studio.models.surgery.edits import edit_titles
from studio.plugin_host import PluginHost


def offered(arguments: Arguments, job: Job) -> Result:
    """Identifier, title and options of each edit."""
    host = PluginHost.discover()
    rows = []
    for name, title in edit_titles(host, str(arguments["model"]["format"])).items():
        transform: Transform = host.get(Extension.TRANSFORM, name)
        options = [to_json(option) for option in transform.options]
        rows.append({"id": name, "title": title, "options": options})
    return {"edits": rows}


def to_json(option: Option) -> dict[str, Any]:
    """An option as JSON."""
    return {**asdict(option), "kind": option.kind.value}


def from_json(data: Mapping[str, Any]) -> Option:
    """The option that ``to_json`` wrote."""
    lists = {name: tuple(data[name]) for name in ("choices", "choice_titles")}
    return Option(**{**data, **lists, "kind": Kind(data["kind"])})
