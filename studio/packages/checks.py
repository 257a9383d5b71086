"""Checks of a model by the plugins' rules, and the findings that a bundle carries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from studio.api import (
    Cancelled,
    Check,
    Extension,
    Finding,
    Format,
    Level,
    Model,
    Progress,
    StudioError,
)
from studio.documents.dataclass_json import JsonValue, from_json, to_json
from studio.documents.defects import reason
from studio.lazy_dataclass import dataclass
from studio.models.shapes import complete
from studio.models.summary import summary
from studio.packages.bundle import Bundle
from studio.packages.results import CheckFinding
from studio.plugin_host import PluginHost
from studio.plugin_host.host import PluginFailed
from studio.runtime.shared.manifest import canonical

FILE = "checks.json"
FORMAT = 1
NOT_RUN = "not-run"
"""Code of the finding for a rule that could not be applied."""

_MOST_BYTES = 1 << 20
_MOST_FINDINGS = 100
_LONGEST_TEXT = 1000
_LONGEST_CODE = 100
_MALFORMED = (ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class Checked:
    """Findings of all checks about one model.

    Attributes:
        checks: The ids of the checks that ran.
        findings: Each with the id of its check.
    """

    checks: tuple[str, ...]
    findings: tuple[tuple[str, Finding], ...]

    def of(self, level: Level) -> tuple[Finding, ...]:
        """Return the findings of a level."""
        return tuple(finding for _, finding in self.findings if finding.level is level)

    def rows(self) -> tuple[CheckFinding, ...]:
        """Return the findings as results and files contain them."""
        return tuple(
            CheckFinding(check, one.level.value, one.code, one.text) for check, one in self.findings
        )

    def content(self) -> bytes:
        """Return the bytes of the bundle's file."""
        return canonical(to_json(_ChecksFile(FORMAT, self.checks, self.rows())))


@dataclass(frozen=True, slots=True)
class _ChecksFile:
    """The document of the bundle's file."""

    format: int
    checks: tuple[str, ...]
    findings: tuple[CheckFinding, ...]


def check_model(host: PluginHost, model: Model, facts: Mapping[str, JsonValue]) -> Checked:
    """Apply every plugin's check to a model.

    A check that cannot be applied is an ERROR: a rule that did not run was not passed.

    Raises:
        PluginFailed: when a plugin's own code fails.
    """
    capabilities = host.all(Extension.CHECK)
    found: list[tuple[str, Finding]] = []
    for capability in capabilities:
        try:
            rule: Check = host.create(capability)
            found += [(capability.id, one) for one in _checked(rule, model, facts)]
        except (Cancelled, PluginFailed):
            raise
        except StudioError as error:
            text = f"The check {capability.title} could not be run: {error.message}"
            found.append((capability.id, Finding(Level.ERROR, NOT_RUN, text)))
    return Checked(tuple(one.id for one in capabilities), tuple(found))


def _checked(rule: Check, model: Model, facts: Mapping[str, JsonValue]) -> list[Finding]:
    """Return a rule's findings, errors first, in numbers and lengths that a file can hold."""
    found = list(rule.check(model, facts))
    if not all(isinstance(one, Finding) and isinstance(one.level, Level) for one in found):
        raise StudioError(f"{rule.title} returned something that is no finding.")
    # Errors first, so that the limit cuts other findings before them.
    found.sort(key=lambda one: one.level is not Level.ERROR)
    return [
        Finding(one.level, str(one.code)[:_LONGEST_CODE], str(one.text)[:_LONGEST_TEXT])
        for one in found[:_MOST_FINDINGS]
    ]


def facts_of(
    form: Format, files: Sequence[Path], model: Model, progress: Progress
) -> dict[str, JsonValue]:
    """Summarize a model for the checks, in the keys of ``studio inspect``."""
    shapes = complete(model.graph, {})
    sized = form.read(files[0], progress, shapes) if shapes else model
    size = sum(file.stat().st_size for file in files)
    return {**to_json(summary(model, sized, shapes)), "bytes": size}


def read_checks(bundle: Bundle) -> Checked | None:
    """Read the findings in a bundle; None for a bundle without the file.

    Raises:
        StudioError: when the file holds no findings.
    """
    entry = next((file for file in bundle.files if file.name == FILE), None)
    if entry is None:
        return None
    try:
        if entry.size > _MOST_BYTES:
            raise ValueError("it is too large")
        return _parse(json.loads(entry.path.read_text("utf-8")))
    except OSError as error:
        raise _unreadable(str(error.strerror)) from None
    except _MALFORMED as error:
        raise _unreadable(reason(error).rstrip(".")) from None


def _parse(document: JsonValue) -> Checked:
    file = from_json(_ChecksFile, document)
    if file.format != FORMAT:
        raise ValueError(f"its format {file.format!r} is not known")
    return Checked(
        file.checks,
        tuple((row.check, Finding(Level(row.level), row.code, row.text)) for row in file.findings),
    )


def _unreadable(reason: str) -> StudioError:
    return StudioError(
        f"The bundle's {FILE} cannot be read: {reason}.", hint="Package the model again."
    )
