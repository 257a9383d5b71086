"""Preview of a deploy: its steps and its blockers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from studio.api import Action, Parcel
from studio_docker.containers.generation import memory_actions
from studio_docker.containers.history import ReleaseHistory
from studio_docker.containers.listener import Listener
from studio_docker.containers.names import EngineNames
from studio_docker.containers.trial import Trial
from studio_docker.engine.client import Engine
from studio_docker.image.base import is_archive

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def actions(
    engine: Engine,
    place: EngineNames,
    history: ReleaseHistory,
    parcel: Parcel,
    options: Mapping[str, Any],
) -> Iterator[Action]:
    """Yield the rows of a preview without changing anything."""
    if int(options.get("canary") or 0):
        yield Action(
            "canary",
            "A container engine serves one release at a time and has no canary.",
            "blocked",
            "Leave out --canary, or use a cluster or a cloud.",
        )
    yield from _door(options)
    yield _base(engine, str(options["base"]))
    yield _image(engine, place, parcel)
    yield from _limits(engine, options)
    switches = history.serving is not None and history.serving.release != parcel.digest
    machine_mb = int(engine.facts()["memory_mb"] or 0)
    yield from memory_actions(parcel, options, machine_mb, switches)
    yield _gate(history, Listener.of(options))
    yield from _release(history, parcel, Trial.of(options))


def _door(options: Mapping[str, Any]) -> Iterator[Action]:
    host = str(options["host"])
    if host not in _LOOPBACK and not options["allow_unauthenticated"] and not options["token_file"]:
        yield Action(
            "address",
            f"The endpoint on {host} would accept unauthenticated requests.",
            "blocked",
            "Pass --set token_file=FILE, or confirm with --set allow_unauthenticated=yes.",
        )


def _base(engine: Engine, name: str) -> Action:
    if is_archive(name):
        return Action("base image", f"{name} is read")
    if engine.image(name) is not None:
        return Action("base image", f"{name} is there", "skipped")
    return Action("base image", f"{name} is fetched from its registry")


def _image(engine: Engine, place: EngineNames, parcel: Parcel) -> Action:
    name = place.image(parcel.digest)
    if engine.image(name) is not None:
        return Action("image", f"{name} is there already, and is compared", "checked")
    return Action("image", f"{name} is built and loaded")


def _limits(engine: Engine, options: Mapping[str, Any]) -> Iterator[Action]:
    facts = engine.facts()
    memory, cpus = int(options["memory_mb"] or 0), float(options["cpus"] or 0)
    if memory and facts["memory_mb"] and memory > facts["memory_mb"]:
        yield Action(
            "memory",
            f"The engine's machine has {facts['memory_mb']} MB, not {memory}.",
            "blocked",
            "Lower the limit: --set memory_mb=NUMBER",
        )
    if cpus and facts["cpus"] and cpus > facts["cpus"]:
        yield Action(
            "processors",
            f"The engine's machine has {facts['cpus']} processors, not {cpus:g}.",
            "blocked",
            "Lower the limit: --set cpus=NUMBER",
        )


def _gate(history: ReleaseHistory, door: Listener) -> Action:
    where = f"port {door.port} of {door.host}"
    if history.gate is None:
        return Action("gate", f"a container is started that keeps {where}")
    if Listener.read(history.gate) == door:
        return Action("gate", f"{where} is kept", "skipped")
    return Action(
        "gate",
        f"The port moves to {where}.",
        "warning",
        "Clients are refused until the new one is open.",
    )


def _release(history: ReleaseHistory, parcel: Parcel, trial: Trial) -> Iterator[Action]:
    serving = history.serving
    if serving is not None and serving.release == parcel.digest and history.gate_runs:
        yield Action("switch", "release already running", "skipped")
        return
    yield Action("container", "a container is started beside what serves, without a network")
    yield Action("test", "it answers the golden samples of its bundle")
    ends = serving is not None and trial.seconds is None
    before = f", and version {serving.version} ends" if serving and ends else ""
    yield Action("switch", f"it answers at the port{before}")
    if trial.seconds is not None:
        before = f" against version {serving.version}" if serving else ""
        text = f"held{before} for {trial.seconds:g} s at most, and taken back when it is worse"
        both = "; its container loads both" if serving else ""
        yield Action("trial", f"{text}{both}")
