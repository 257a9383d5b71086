"""``studio project``: what belongs to a model besides its file."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from studio.api import StudioError
from studio.cli.flags import add_verbs
from studio.cli.output import fail_job, print_json, print_lines
from studio.cli.overwrite import add_force, confirm_overwrite
from studio.cli.session import add_step, workspace
from studio.cli.step_commands import run_named
from studio.documents.dataclass_json import to_json
from studio.lazy_dataclass import dataclass
from studio.projects import texts
from studio.projects.results import Project
from studio.settings import full_path, write_atomically
from studio.steps.overwrites import in_the_way
from studio.workspace import JobOutcome, VariantRecord, Workspace

_SET, _DRAFT = "project-set", "project-draft"
_OUTPUTS = "project-outputs"
_VERBS = ("set", "draft", "outputs")
"""Each runs the step of its name."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        show="show the project of a model and the source of each field",
        set="set fields of a model's project",
        draft="write a first preprocess.toml next to a model that takes pictures",
        outputs="write what the outputs mean, an outputs.toml, next to a model",
        pipeline="print the pipeline from the model file to an endpoint",
    )
    show, setting, draft, outputs, pipeline = verbs.values()
    show.add_argument("model", metavar="MODEL", help="file, name or #number")
    add_step(setting, _SET)
    add_step(draft, _DRAFT)
    add_step(outputs, _OUTPUTS)
    pipeline.add_argument("model", metavar="MODEL", help="file, name or #number")
    pipeline.add_argument("--out", type=Path, metavar="FILE", help="write to FILE instead")
    add_force(pipeline)


def run(arguments: argparse.Namespace) -> int:
    """Show, set or write."""
    if arguments.verb in _VERBS:
        return run_named(f"project-{arguments.verb}", arguments)
    with workspace() as opened:
        found = _found(opened, arguments.model)
        if isinstance(found, JobOutcome):
            return fail_job(found, as_json=arguments.json, debug=arguments.debug)
        if arguments.verb == "pipeline":
            return _pipeline(opened, found, arguments)
        return _show(opened.projects.of(found.variant, found.file), arguments)


@dataclass(frozen=True, slots=True)
class _Found:
    """A model that an argument names, with its file where that is what was named."""

    variant: VariantRecord
    file: Path | None = None


def _found(opened: Workspace, text: str) -> _Found | JobOutcome:
    """Return the model, which is opened where a file is named; else how that failed."""
    given = Path(text).expanduser()
    if not given.is_file():
        return _Found(opened.registry.find(text))
    outcome = opened.run("open", model=str(given))
    if not outcome.ok:
        return outcome
    return _Found(opened.registry.variant(outcome.result.variant), full_path(given))


def _pipeline(opened: Workspace, found: _Found, arguments: argparse.Namespace) -> int:
    """Print the pipeline, or write it into a file, from whose folder its paths are then named."""
    out = full_path(arguments.out) if arguments.out is not None else None
    text = opened.project_runs.text(found.variant, out.parent if out else None, found.file)
    if out is not None:
        _write(out, text, arguments)
    if arguments.json:
        print_json({"pipeline": text, "out": str(out) if out is not None else None})
    elif out is None:
        print_lines(text.splitlines())
    else:
        print_lines([f"Wrote {out}. Run it with: studio run {shlex.quote(str(out))}"])
    return 0


def _write(out: Path, text: str, arguments: argparse.Namespace) -> None:
    confirm_overwrite(in_the_way([out]), arguments)
    try:
        write_atomically(out, text.encode())
    except OSError as error:
        raise StudioError(f"{out} cannot be written: {error.strerror or error}.") from None


def _show(project: Project, arguments: argparse.Namespace) -> int:
    if arguments.json:
        print_json(to_json(project))
    else:
        print_lines(texts.project(project))
    return 0
