"""The work of the step edit, in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.jobs.step import Arguments, Job, Result
from studio.models.backends import backend_for
from studio.models.opening import OpenedModel, look, write_graph
from studio.models.surgery import edits
from studio.models.surgery.edits import Edit
from studio.models.surgery.equality import Equality, check
from studio.plugin_host import PluginHost

FOLDER = "model"


def edit(arguments: Arguments, job: Job) -> Result:
    """Carry the edits out, each on what the one before made; nothing is kept if one fails.

    Raises:
        UsageError: for an edit that is not known or does not fit the model.
        InvalidModel: when an edited model does not run, or gives other numbers than it should.
    """
    host = PluginHost.discover()
    reference = arguments["model"]
    wanted = edits.parse(arguments["edit"], host, str(reference["format"]))
    current = look(Path(reference["path"]), host=host)
    name = f"{Path(reference['path']).stem}.onnx"
    rows = []
    for number, one in enumerate(wanted):
        job.progress(number, len(wanted) + 1, one.text)
        output = job.folder / f"edit-{number}" / name
        output.parent.mkdir()
        rows.append(_carry_out(one, current, output, reference, host, job))
        current = look(output, host=host)
    final = job.folder / FOLDER
    current.path.parent.rename(final)
    opened = look(final / name, host=host)
    write_graph(opened, job.folder, job)
    return {
        "file": name,
        "files": len(opened.files),
        "summary": opened.figures(),
        "edits": rows,
        "bytes": sum(file.stat().st_size for file in opened.files),
    }


def _carry_out(
    one: Edit,
    before: OpenedModel,
    output: Path,
    reference: Mapping[str, Any],
    host: PluginHost,
    job: Job,
) -> dict[str, Any]:
    made = one.transform.apply(before.path, output, one.options, None, job)
    facts = dict(made.facts)
    after = look(output, host=host)
    equality = _compare(before, after, facts, reference, host) if facts.get("equal") else None
    return {
        "edit": one.text,
        "text": str(facts.get("text", "")),
        "nodes": len(after.model.graph.nodes),
        "equality": None if equality is None else asdict(equality),
    }


def _compare(
    before: OpenedModel,
    after: OpenedModel,
    facts: Mapping[str, Any],
    reference: Mapping[str, Any],
    host: PluginHost,
) -> Equality:
    backend = backend_for(str(reference["format"]), host)
    inputs = (before.model.graph.inputs, after.model.graph.inputs)
    ours = backend.load(before.path, {"threads": 1})
    try:
        theirs = backend.load(after.path, {"threads": 1})
        try:
            return check(ours, theirs, inputs, facts)
        finally:
            theirs.close()
    finally:
        ours.close()
