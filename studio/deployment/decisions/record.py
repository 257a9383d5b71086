"""What the parent process does for the record of decisions: anchors, exports, places here."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from studio.api import StudioError, UsageError
from studio.deployment.decisions.places import DESK, size_of
from studio.deployment.decisions.results import (
    DecisionsResult,
    ExportedDecisions,
    ForgottenDecisions,
    KeptData,
)
from studio.deployment.decisions.step import (
    ExportDecisionsOptions,
    ForgetOptions,
    RecordEnd,
    VerifyDecisionsOptions,
    WhereOptions,
)
from studio.documents.dataclass_json import read_parts, to_json
from studio.lazy_dataclass import dataclass
from studio.projects.projects import FOLDER, Projects
from studio.registry import Registry, below
from studio.runtime.decisions.entry import REQUEST, is_digest
from studio.runtime.shared.chained_log import Journal
from studio.runtime.shared.files import digest_of
from studio.settings import full_path

ANCHORS = "decisions.jsonl"
_FORMS = ".evidence.json"
_RUNS = (
    ("explain", "explanation: samples and maps"),
    ("decisions-export", "exported decisions"),
)
_MOST_ANCHORS = 1000


@dataclass(frozen=True, slots=True)
class _Seen:
    """An end of a target's record, as the registry's chain keeps it."""

    target: str | None = ""
    number: int | None = 0
    head: str | None = ""


def anchors(registry: Registry, options: VerifyDecisionsOptions) -> VerifyDecisionsOptions:
    """Add the ends of the target's record that were seen before."""
    if options.target is None:
        return options
    entries = (read_parts(_Seen, one) for one in _journal(registry).readable())
    name = options.target.name
    found = [RecordEnd(one.number or 0, one.head or "") for one in entries if one.target == name]
    return replace(options, anchors=tuple(found[-_MOST_ANCHORS:]))


def verified(
    registry: Registry, options: VerifyDecisionsOptions, result: DecisionsResult, folder: Path
) -> DecisionsResult:
    """Keep the end of a whole record, so that a shorter or rewritten one is found later."""
    if options.target is not None and result.fault is None and result.last_number:
        known = {(one.number, one.hash) for one in options.anchors}
        if (result.last_number, result.last) not in known:
            facts = {"target": result.target, "number": result.last_number, "head": result.last}
            _journal(registry).append("decisions", **facts)
    return result


def _journal(registry: Registry) -> Journal:
    return Journal(registry.folder / ANCHORS)


def exported(
    registry: Registry, options: ExportDecisionsOptions, result: ExportedDecisions, folder: Path
) -> ExportedDecisions:
    """Copy the file to where the user wants it, and keep it as a run of each version's variant."""
    output = full_path(options.out)
    made = below(folder, result.output)
    try:
        shutil.copyfile(made, output)
        output.chmod(0o600)
    except OSError as error:
        raise StudioError(f"{output} could not be written: {error.strerror}.") from None
    artifact = {"decisions": registry.adopt(made)}
    given = {"target": result.target, "from": result.begin, "to": result.end}
    document = {**to_json(result), "output": output.name}
    for variant in _variants(registry, result) or (None,):
        registry.add_run("decisions-export", variant, given, document, artifact)
    return replace(result, output=str(output))


def _variants(registry: Registry, result: ExportedDecisions) -> tuple[int, ...]:
    """Return the variants of the versions that answered, where they are in this registry."""
    answered = {one.digest for one in result.models}
    found = (one.variant for one in registry.versions() if one.digest in answered)
    return tuple(dict.fromkeys(found))


def identified(registry: Registry, options: ForgetOptions) -> ForgetOptions:
    """Replace a file by the digest of its bytes; a request and a digest stay.

    Raises:
        UsageError: for any other text.
        StudioError: when the file cannot be read.
    """
    what = options.what
    if is_digest(what) or REQUEST.fullmatch(what):
        return options
    path = Path(what).expanduser()
    try:
        if path.is_file():
            return replace(options, what=digest_of(path))
    except OSError as error:
        raise StudioError(f"{path} cannot be read: {error.strerror}.") from None
    raise UsageError(
        f"{what[:80]!r} is no request, no SHA-256 and no file.",
        hint="Name the value of the header Edgewright-Request, or the file that was sent.",
    )


def forgotten(
    registry: Registry, options: ForgetOptions, result: ForgottenDecisions, folder: Path
) -> ForgottenDecisions:
    """Note that something was deleted, without naming what."""
    given = {"target": options.target.name}
    registry.add_run("decisions-forget", None, given, to_json(result))
    return result


def on_the_desk(registry: Registry, options: WhereOptions) -> WhereOptions:
    """Add the places on this computer."""
    return replace(options, desk=tuple(_desk(registry)))


def _desk(registry: Registry) -> Iterator[KeptData]:
    for form in sorted((registry.folder.parent / FOLDER).glob("*" + _FORMS)):
        yield _here("answers of an evidence form, with names", form)
    for step, what in _RUNS:
        files = {one.path for run in registry.runs(step) for one in run.artifacts.values()}
        for path in sorted(files):
            yield _here(what, path)
    for folder in _data_of_projects(registry):
        yield _here(f"data of a project: {folder.name}", folder)


def _here(what: str, path: Path) -> KeptData:
    return KeptData(
        DESK, what, str(path), size_of(path), "until deleted", f"rm -r {shlex.quote(str(path))}"
    )


def _data_of_projects(registry: Registry) -> list[Path]:
    """Return the data that the projects of models name, each once."""
    projects, found = Projects(registry), dict[str, None]()
    for variant in registry.variants():
        if variant.parent is None:
            project = projects.of(variant)
            named = (project.calibration, project.evaluation, project.heldout)
            found.update(dict.fromkeys(filter(None, named)))
    return [Path(one) for one in found]
