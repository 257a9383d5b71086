"""Artifacts of a run: digests that are equal on every machine, copies for CI, output files."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from studio.api import StudioError
from studio.packages.bundle import MANIFEST, content_digest
from studio.pipelines.pipeline import Pipeline
from studio.pipelines.run_report import PipelineReport
from studio.registry import Registry
from studio.registry.run_journal import JUNIT_FILE, PIPELINE_FILE, REPORT_FILE, RUN_FILE, RunFolder
from studio.registry.run_records import StepReport
from studio.steps.catalogue import step as step_named
from studio.steps.overwrites import outputs

_DIGESTS = "digests.txt"
_REFERENCE = "${"
_TOP = (RUN_FILE, PIPELINE_FILE, REPORT_FILE, JUNIT_FILE)


def digests(steps: Iterable[StepReport], registry: Registry) -> dict[str, str]:
    """Return the SHA-256 of each new model and bundle, by ``step.model`` and ``step.bundle``.

    The digest of a bundle leaves out its number and its date, which differ in each run.
    """
    found: dict[str, str] = {}
    for step in steps:
        if not step.done or step.step not in ("open", "convert", "quantize", "edit", "package"):
            continue
        product = step.product
        if product.bundle:
            digest = _content(Path(product.bundle))
            found |= {f"{step.id}.bundle": digest} if digest else {}
        elif product.variant is not None:
            variants = registry.variants()
            record = next((one for one in variants if one.id == product.variant), None)
            found |= {f"{step.id}.model": record.digest} if record else {}
    return found


def copy_artefacts(
    report: PipelineReport, run: RunFolder, registry: Registry, folder: Path
) -> list[Path]:
    """Copy the models, bundles, report and journal of a run to a folder, with their digests.

    Raises:
        StudioError: when it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = [_copy(path, folder / path.name) for path in _top(run)]
        for step in report.steps:
            made += _of_step(step, registry, folder)
        lines = [f"{digest}  {name}\n" for name, digest in report.artefacts.items()]
        (folder / _DIGESTS).write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise StudioError(f"The artefacts cannot be written to {folder}: {reason}.") from None
    return [*made, folder / _DIGESTS]


def _top(run: RunFolder) -> list[Path]:
    return [path for name in _TOP if (path := run.folder / name).is_file()]


def _of_step(step: StepReport, registry: Registry, folder: Path) -> list[Path]:
    if not step.done:
        return []
    product = step.product
    if step.step == "package" and product.bundle:
        return [_copy(Path(product.bundle), folder / step.id)]
    if step.step in ("quantize", "edit") and product.variant is not None:
        record = registry.variant(product.variant)
        registry.fetch(record.path)
        return [_copy(record.path, folder / f"{step.id}{record.path.suffix}")]
    return []


def _copy(source: Path, target: Path) -> Path:
    if source.is_dir():
        if (target / MANIFEST).is_file():
            shutil.rmtree(target)
        shutil.copytree(source, target, dirs_exist_ok=True)
        # Bundles of the store are read-only; copies must be writable, so that CI can remove them.
        for path in target.rglob("*"):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
    else:
        shutil.copyfile(source, target)
    return target


def _content(bundle: Path) -> str:
    try:
        manifest = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return content_digest(manifest) if isinstance(manifest, Mapping) else ""


def pipeline_outputs(pipeline: Pipeline) -> list[Path]:
    """Return the output files of a pipeline that are known before it runs."""
    found = []
    for step in pipeline.steps:
        given = {
            name: str(pipeline.folder / Path(value).expanduser())
            for name, value in step.options.items()
            if isinstance(value, str) and _REFERENCE not in value
        }
        found += outputs(step_named(step.step), given)
    return found
