"""What the server of a language model needs of its container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from studio.api import Action, Parcel, Refused
from studio_docker.engine.client import STOP_LABEL, Engine
from studio_docker.image.base import Base, is_archive
from studio_docker.image.settings import LABEL

_DRAIN_S, _ANSWER_S, _ENDING_S = 120, 600, 10
"""For streams to end, for whole answers, and for the rest."""

_MIB = 1 << 20
_LIBRARIES = {"llama-cpp": ("libgomp.so.1", "libgomp1")}
"""Backend -> a library of the system that its wheels lack, and Debian's package with it."""

_FOLDERS = (
    *("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib/x86_64-linux-gnu"),
    *("/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"),
)


def generates(parcel: Parcel) -> bool:
    """Return whether a bundle has a language model."""
    return bool(parcel.manifest.get("generation"))


def server_options(parcel: Parcel) -> list[str]:
    """Return the arguments of a server whose answers take long; none for other models."""
    if not generates(parcel):
        return []
    return ["--drain-seconds", str(_DRAIN_S), "--request-seconds", str(_ANSWER_S)]


def labels(parcel: Parcel) -> dict[str, str]:
    """Return the labels by which the end of a container is awaited."""
    return {STOP_LABEL: str(_DRAIN_S + _ENDING_S)} if generates(parcel) else {}


def memory_actions(
    parcel: Parcel, options: Mapping[str, Any], machine_mb: int, beside: bool
) -> Iterator[Action]:
    """Yield what stands in the way of the predicted memory, or the prediction.

    Args:
        machine_mb: Memory of the engine's machine in MiB; 0 if unknown.
        beside: Whether another release is loaded meanwhile.
    """
    if not generates(parcel):
        return
    need = -(-parcel.memory_mb * 1_000_000 // _MIB)
    if not need:
        text = "The memory of this backend is not predicted."
        yield Action("model memory", text, "warning", "Watch it, and give --set memory_mb=NUMBER.")
        return
    given = dict(parcel.manifest["generation"])
    what = f"{given.get('slots')} slots of {int(given.get('context') or 0):,} tokens"
    limit = int(options["memory_mb"] or 0)
    hint = "Raise memory_mb, or deploy with a smaller --context or fewer --slots."
    if limit and limit < need:
        text = f"The model takes about {need:,} MB with {what}, more than its limit of {limit:,}."
        yield Action("model memory", text, "blocked", hint)
    elif machine_mb and need > machine_mb:
        text = f"The model takes about {need:,} MB with {what}, and the machine has {machine_mb:,}."
        yield Action("model memory", text, "blocked", hint)
    elif machine_mb and beside and 2 * need > machine_mb:
        text = f"Both releases are loaded during the switch: about {2 * need:,} MB."
        yield Action("model memory", text, "warning", hint)
    else:
        yield Action("model memory", f"about {need:,} MB with {what}", "checked")


def require_libraries(engine: Engine, parcel: Parcel, base: Base) -> None:
    """Look for the system's libraries of a backend in a base image of the engine.

    Raises:
        Refused: when one is not there.
    """
    backend = str(dict(parcel.manifest.get("model") or {}).get("backend") or "")
    if backend not in _LIBRARIES or is_archive(base.name):
        return
    name, package = _LIBRARIES[backend]
    container = engine.create(base.name, "", command=["true"], labels={f"{LABEL}.role": "look"})
    try:
        if any(engine.link(container, f"{folder}/{name}") for folder in _FOLDERS):
            return
    finally:
        engine.remove(container)
    raise Refused(
        f"The base image {base.name} lacks {name}, which {backend} needs.",
        hint=f"Build one from it with the package {package}, and name it with base=.",
    )
