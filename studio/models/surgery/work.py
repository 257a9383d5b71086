"""The work of the step edit, in a worker."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from studio.documents.dataclass_json import from_json
from studio.jobs.step import Job
from studio.models.backends import backend_for
from studio.models.layout.graph_writer import write_graph
from studio.models.opening import OpenedModel, read_model
from studio.models.surgery import edits
from studio.models.surgery.edits import Edit
from studio.models.surgery.equality import EditFacts, check
from studio.models.surgery.results import EditedFiles, EditOutcome, EditResult, Equality
from studio.models.surgery.step import EditOptions
from studio.plugin_host import PluginHost

FOLDER = "model"


def edit(options: EditOptions, job: Job) -> EditResult:
    """Apply the edits, each to the result of the one before; a failure discards them all.

    Raises:
        UsageError: for an edit that is not known or does not fit the model.
        InvalidModel: when an edited model does not run, or gives other numbers than it should.
    """
    host = PluginHost.discover()
    model = options.model
    wanted = edits.parse(options.edit, host, model.format)
    current = read_model(Path(model.path), host=host)
    name = f"{Path(model.path).stem}.onnx"
    rows = []
    for number, one in enumerate(wanted):
        job.progress(number, len(wanted) + 1, one.text)
        output = job.folder / f"edit-{number}" / name
        output.parent.mkdir()
        rows.append(_carry_out(one, current, output, model.format, host, job))
        current = read_model(output, host=host)
    final = job.folder / FOLDER
    current.path.parent.rename(final)
    opened = read_model(final / name, host=host)
    write_graph(opened, job.folder, job)
    return EditResult(
        nodes=len(opened.model.graph.nodes),
        edits=tuple(rows),
        bytes=sum(file.stat().st_size for file in opened.files),
        kept=False,
        made=EditedFiles(name, len(opened.files), opened.figures()),
    )


def _carry_out(
    one: Edit,
    before: OpenedModel,
    output: Path,
    form: str,
    host: PluginHost,
    job: Job,
) -> EditOutcome:
    made = one.transform.apply(before.path, output, one.options, None, job)
    facts = from_json(EditFacts, made.facts)
    after = read_model(output, host=host)
    equality = _compare(before, after, facts, form, host) if facts.equal else None
    return EditOutcome(one.text, str(facts.text), len(after.model.graph.nodes), equality)


def _compare(
    before: OpenedModel,
    after: OpenedModel,
    facts: EditFacts,
    form: str,
    host: PluginHost,
) -> Equality:
    backend = backend_for(form, host)
    inputs = (before.model.graph.inputs, after.model.graph.inputs)
    with (
        closing(backend.load(before.path, {"threads": 1})) as ours,
        closing(backend.load(after.path, {"threads": 1})) as theirs,
    ):
        return check(ours, theirs, inputs, facts)
