"""What the window says about targets: kind, facts, and what runs there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.api import TargetSpec
from studio.gui import figures
from studio.gui.pages.shared.stage_page import part

if TYPE_CHECKING:
    from studio.workspace import ReleaseRecord

LOCAL = "local"
SERVING = "serving"
REMOVED = "removed"


def title(target: TargetSpec) -> str:
    """The name as people say it."""
    return named(target.name)


def named(name: str) -> str:
    """A target's name that stands alone or begins a sentence."""
    return "This computer" if name in ("", LOCAL) else name


def spoken(name: str) -> str:
    """A target's name within a sentence."""
    return "this computer" if name in ("", LOCAL) else name


def kind(target: TargetSpec, facts: Mapping[str, Any]) -> str:
    """What sort of place it is: ``board · Raspberry Pi 5 · aarch64``."""
    scheme = target.url.partition(":")[0]
    sort = {"local": "local", "ssh": "board", "docker": "container"}.get(scheme, scheme)
    described = part(facts, "board", "os") or ""
    return " · ".join(text for text in (sort, str(described), str(facts.get("arch", ""))) if text)


def runtimes(facts: Mapping[str, Any]) -> str:
    """The runtimes that its Python can import: ``onnxruntime 1.23.2``."""
    found = facts.get("runtimes") or {}
    return ", ".join(f"{name} {version}" for name, version in found.items()) or figures.NOTHING


def fields(facts: Mapping[str, Any]) -> list[Sequence[str]]:
    """The facts of a target, for a list of names and values; what is unknown is left out."""
    cpus = facts.get("cpus")
    processor = " × ".join(str(p) for p in (cpus, facts.get("cpu")) if p)
    system = " · ".join(str(facts[key]) for key in ("image", "os", "kernel") if facts.get(key))
    clock = figures.number(facts.get("cpu_mhz"))
    processor += f" at up to {clock:,.0f} MHz" if clock else ""
    libraries = ", ".join(f"{k} {v}" for k, v in (facts.get("libraries") or {}).items())
    heat = figures.number(facts.get("temperature_c"))
    python = str(facts.get("python") or "")
    if python and facts.get("python_path"):
        python += f" at {facts['python_path']}"
    skew = figures.number(facts.get("clock_skew_s"))
    pairs = [
        ("Board", str(facts.get("board") or "")),
        ("System", system),
        ("Architecture", str(facts.get("arch") or "")),
        ("Processor", processor),
        ("Instructions", ", ".join(facts.get("features") or ())),
        ("Memory", _of(facts, "memory_free_mb", "memory_mb")),
        ("Free disk", _of(facts, "disk_free_mb", "disk_total_mb")),
        ("Temperature", "" if heat is None else f"{heat:.0f} °C"),
        ("Power", str(facts.get("power_mode") or "")),
        ("Warnings", "; ".join(facts.get("notes") or ())),
        ("Python", python or "missing: python3 is required"),
        ("C library", f"glibc {facts['glibc']}" if facts.get("glibc") else ""),
        (
            "Runtimes",
            runtimes(facts) if facts.get("runtimes") else "none; installed by the first deployment",
        ),
        ("Accelerators", ", ".join(facts.get("accelerators") or ()) or "none found"),
        ("Accelerator libraries", libraries),
        ("Cameras", ", ".join(facts.get("cameras") or ())),
        ("Services", ", ".join(facts.get("services") or ())),
        ("Clock", "" if skew is None or abs(skew) < 2 else f"skew {skew:.0f} s"),
        ("Releases in", str(facts.get("root") or "")),
    ]
    return [pair for pair in pairs if pair[1] and pair[1] != figures.NOTHING]


def _of(facts: Mapping[str, Any], free: str, total: str) -> str:
    """``4.2 GB of 7.6 GB``, or the one that is known."""
    known = [figures.megabytes(facts.get(name)) for name in (free, total) if facts.get(name)]
    return " of ".join(known)


@dataclass(frozen=True, slots=True)
class RunningRelease:
    """What serves on a target.

    Attributes:
        release: None where nothing does.
        name: ``v12 int8``.
    """

    release: ReleaseRecord | None
    name: str = figures.NOTHING

    @property
    def endpoint(self) -> str:
        """Where it answers, empty where that is not known."""
        return "" if self.release is None else str(self.release.details.get("endpoint") or "")


def release_name(release: ReleaseRecord) -> str:
    """``v12 int8``, from what was recorded when it was deployed."""
    details = release.details
    number = details.get("version")
    version = f"v{number}" if number is not None else release.digest[:8]
    return f"{version} {details.get('variant_name') or ''}".strip()


def has_canary(releases: Iterable[ReleaseRecord]) -> bool:
    """Whether the newest release gets a part of the requests."""
    return next((release.state for release in releases), "") == "canary"


def running(releases: Iterable[ReleaseRecord]) -> RunningRelease:
    """What serves now, from a target's history with the newest first."""
    for release in releases:
        if release.state == REMOVED:
            break
        if release.state == SERVING:
            return RunningRelease(release, release_name(release))
    return RunningRelease(None)
