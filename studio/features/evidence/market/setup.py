"""The configured watch of a model's targets, read in the parent process."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studio.api import StudioError, UsageError
from studio.documents.dataclass_json import read_parts
from studio.documents.toml_text import parse
from studio.lazy_dataclass import dataclass
from studio.monitoring.alerts.rules import AlertPlan, AlertRule, alerts_of
from studio.settings import Paths, Settings

if TYPE_CHECKING:
    from studio.registry import Registry, RunRecord, VersionRecord

BASELINE = "baseline.json"
"""Of a bundle (``studio.runtime.shared.manifest``)."""

MOST_BYTES = 1024 * 1024
_DEFAULT = "alerts.toml"


@dataclass(frozen=True, slots=True)
class _DriftReference:
    """The size of a drift reference."""

    frames: int = 0


@dataclass(frozen=True, slots=True)
class _Baseline:
    """The part of a bundle's baseline that the plan reads."""

    drift: _DriftReference = _DriftReference()


@dataclass(frozen=True, slots=True)
class PlannedRule:
    """An alert rule of the plan.

    Attributes:
        limit: Limit in words: ``above 40 for 60 s``.
        targets: Targets of this model that it applies to.
    """

    name: str
    metric: str
    limit: str
    level: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedChannel:
    """A person or place that alerts go to."""

    name: str
    kind: str
    destination: str
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MonitoringSetup:
    """The configured watch of the targets that serve a model.

    Attributes:
        targets: Targets that serve the model now.
        alert_file: Name of the alert file; empty without one.
        problem: Why the file could not be read; empty where it could.
        drift_frames: Samples of the version's drift reference; 0 without one.
    """

    targets: tuple[str, ...] = ()
    alert_file: str = ""
    problem: str = ""
    rules: tuple[PlannedRule, ...] = ()
    channels: tuple[PlannedChannel, ...] = ()
    drift_frames: int = 0


def monitoring_setup(
    registry: Registry, model: str, version: VersionRecord | None, last: RunRecord | None
) -> MonitoringSetup:
    """Return what is configured for a model.

    Args:
        last: The newest run of ``monitor``, whose alert file counts before the one of the settings.
    """
    running = registry.history.running()
    targets = tuple(sorted(name for name, one in running.items() if one.facts.name == model))
    frames = _drift_frames(version)
    file = _alert_file(registry, last)
    if file is None:
        return MonitoringSetup(targets, drift_frames=frames)
    try:
        plan = _read(file)
    except StudioError as error:
        return MonitoringSetup(targets, file.name, error.message, drift_frames=frames)
    rules = tuple(_rules(plan.rules, targets))
    channels = tuple(
        PlannedChannel(one.name, one.kind, one.destination, one.levels) for one in plan.channels
    )
    return MonitoringSetup(targets, file.name, "", rules, channels, frames)


def _alert_file(registry: Registry, last: RunRecord | None) -> Path | None:
    """Return the alert file of the last watch, else that of the settings; None without one."""
    paths = _paths(registry)
    given = str(last.options.get("alerts") or "") if last is not None else ""
    chosen = str(Settings(paths.settings)["alerts"] or "")
    found = (Path(one) for one in (given, chosen, str(paths.config / _DEFAULT)) if one)
    return next((one for one in found if one.is_file()), None)


def _paths(registry: Registry) -> Paths:
    """Return the folders of the registry, which may be others than those of this process."""
    paths = Paths.of()
    return paths if paths.registry == registry.folder else Paths.of(home=registry.folder.parents[1])


def _read(file: Path) -> AlertPlan:
    """Return the rules of a file; channels of plugins are not checked.

    Raises:
        UsageError: when the file is not valid.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UsageError(f"{file.name} is larger than {MOST_BYTES // 1024} KB.")
        values = parse(content.decode("utf-8"), file.name)
    except UnicodeDecodeError:
        raise UsageError(f"{file.name} is not UTF-8 text.") from None
    except OSError as error:
        raise UsageError(f"{file.name} cannot be read: {error.strerror or error}.") from None
    channels = values.get("channels")
    tables = channels if isinstance(channels, list) else []
    kinds = [str(one.get("kind")) for one in tables if isinstance(one, dict)]
    return alerts_of(values, kinds)


def _rules(rules: Sequence[AlertRule], targets: tuple[str, ...]) -> Iterable[PlannedRule]:
    """Yield the rules that apply to a target of the model."""
    for one in rules:
        applies = tuple(name for name in targets if not one.targets or name in one.targets)
        if applies:
            side = "above" if one.above is not None else "below"
            lasting = f" for {one.for_s:g} s" if one.for_s else ""
            limit = f"{side} {one.limit:g}{lasting}"
            yield PlannedRule(one.name, one.metric, limit, one.level, applies)


def _drift_frames(version: VersionRecord | None) -> int:
    """Return the number of samples of a version's drift reference; 0 without one."""
    if version is None:
        return 0
    try:
        content = json.loads((version.path / BASELINE).read_bytes())
    except (OSError, ValueError):
        return 0
    return read_parts(_Baseline, content).drift.frames if isinstance(content, dict) else 0
