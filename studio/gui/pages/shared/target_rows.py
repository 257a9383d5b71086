"""The window's texts about targets: kind, facts and the release that runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from studio.api import TargetFacts, TargetSpec
from studio.documents.dataclass_json import from_json
from studio.gui import figures
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.workspace import ReleaseRecord, VariantRecord, Workspace

LOCAL = "local"
SERVING = "serving"
REMOVED = "removed"
DEPLOY_TO = "Deploy to"


def title(target: TargetSpec) -> str:
    """Return the name as people say it."""
    return named(target.name)


def named(name: str) -> str:
    """Return a target's name that stands alone or begins a sentence."""
    return _of_local(name, "This computer")


def spoken(name: str) -> str:
    """Return a target's name within a sentence."""
    return _of_local(name, "this computer")


def _of_local(name: str, words: str) -> str:
    """Return a name with other words for this computer, also before an endpoint's name."""
    base, sign, endpoint = name.partition("/")
    return f"{words}{sign}{endpoint}" if base in ("", LOCAL) else name


def is_remote(target: TargetSpec) -> bool:
    """Return whether a target is on the network."""
    return urlsplit(target.url).scheme not in ("", LOCAL)


def deploy_verb(workspace: Workspace, target: TargetSpec) -> str:
    """Return what a click does to a target: a protected one gets a plan at first."""
    from studio.workspace.boards.approvals import ProtectedTargets

    protected = ProtectedTargets(workspace.registry.labels)
    return "Plan deploy to" if target in protected else DEPLOY_TO


def facts_of(document: Mapping[str, object]) -> TargetFacts | None:
    """Return the facts in the document that a probe has left; None for an empty one."""
    return from_json(TargetFacts, {"name": "", "url": "", **document}) if document else None


def kind(
    target: TargetSpec, facts: TargetFacts | None, running: ReleaseRecord | None = None
) -> str:
    """Return the kind of a target: ``board · Raspberry Pi 5 · aarch64``.

    Args:
        running: The release that serves there, whose model comes first: ``digits · board``.
    """
    model = running.facts.name if running is not None else ""
    scheme = target.url.partition(":")[0]
    sort = {"local": "local", "ssh": "board", "docker": "container"}.get(scheme, scheme)
    known = (facts.board or facts.os, facts.arch) if facts else ()
    return " · ".join(filter(None, (model, sort, *known)))


def fields(facts: TargetFacts) -> list[Sequence[str]]:
    """Return the facts of a target, for a list of names and values; what is unknown is left out."""
    processor = " × ".join(str(one) for one in (facts.cpus, facts.cpu) if one)
    processor += f" at up to {facts.cpu_mhz:,.0f} MHz" if facts.cpu_mhz else ""
    heat = facts.temperature_c
    python = facts.python
    if python and facts.python_path:
        python += f" at {facts.python_path}"
    pairs = [
        ("Board", facts.board),
        ("System", " · ".join(filter(None, (facts.image, facts.os, facts.kernel)))),
        ("Architecture", facts.arch),
        ("Processor", processor),
        ("Instructions", ", ".join(facts.features)),
        ("Memory", _of(facts.memory_free_mb, facts.memory_mb)),
        ("Free disk", _of(facts.disk_free_mb, facts.disk_total_mb)),
        ("Temperature", "" if heat is None else f"{heat:.0f} °C"),
        ("Power", facts.power_mode),
        ("Warnings", "; ".join(facts.notes)),
        ("Python", python or "missing: python3 is required"),
        ("C library", f"glibc {facts.glibc}" if facts.glibc else ""),
        ("Runtimes", _versions(facts.runtimes) or "none; installed by the first deployment"),
        ("Accelerators", ", ".join(facts.accelerators) or "none found"),
        ("Accelerator libraries", _versions(facts.libraries)),
        ("Cameras", ", ".join(facts.cameras)),
        ("Services", ", ".join(facts.services)),
        ("Clock", "" if abs(facts.clock_skew_s) < 2 else f"skew {facts.clock_skew_s:.0f} s"),
        ("Releases in", facts.root),
    ]
    return [pair for pair in pairs if pair[1] and pair[1] != figures.NOTHING]


def _versions(known: Mapping[str, str]) -> str:
    """``onnxruntime 1.23.2, numpy 2.1.0``."""
    return ", ".join(f"{name} {version}" for name, version in known.items())


def _of(free: int, total: int) -> str:
    """``4.2 GB of 7.6 GB``, or the one that is known."""
    return " of ".join(figures.megabytes(one) for one in (free, total) if one)


@dataclass(frozen=True, slots=True)
class RunningRelease:
    """The release that serves on a target.

    Attributes:
        release: None where nothing does.
        name: ``v12 int8``.
    """

    release: ReleaseRecord | None
    name: str = figures.NOTHING

    @property
    def endpoint(self) -> str:
        """Where it answers, empty where that is not known."""
        return "" if self.release is None else self.release.facts.endpoint or ""


def release_name(release: ReleaseRecord) -> str:
    """``v12 int8``, from what was recorded when it was deployed."""
    facts = release.facts
    version = f"v{facts.version}" if facts.version is not None else release.digest[:8]
    return f"{version} {facts.variant_name or ''}".strip()


def variant_of(workspace: Workspace, version: int | None) -> VariantRecord | None:
    """Return the variant of a version; None where the registry does not have it."""
    registry = workspace.registry
    record = next((one for one in registry.versions() if one.id == version), None)
    return registry.variant(record.variant) if record is not None else None


def has_canary(releases: Iterable[ReleaseRecord]) -> bool:
    """Return whether the newest release is a canary."""
    return next((release.state for release in releases), "") == "canary"


def running(releases: Iterable[ReleaseRecord]) -> RunningRelease:
    """Return the release that serves now, from a target's history with the newest first."""
    for release in releases:
        if release.state == REMOVED:
            break
        if release.state == SERVING:
            return RunningRelease(release, release_name(release))
    return RunningRelease(None)
