"""Removal of a target's containers, volume and images from an engine."""

from __future__ import annotations

from studio.api import Progress, Resource
from studio_docker.containers.history import ReleaseHistory
from studio_docker.containers.names import GATE, EngineNames
from studio_docker.engine.client import Engine
from studio_docker.image.settings import LABEL


def remove_leftovers(engine: Engine, history: ReleaseHistory, progress: Progress) -> None:
    """Remove what an interrupted deploy left: containers that do not serve."""
    for one in history.held:
        if one.release == history.current:
            continue
        if not one.turns or history.is_rejected(one.release):
            progress.log(f"Removing {one.container.name}, left by a deploy that was interrupted")
            engine.remove(one.container)


def remove_old(engine: Engine, place: EngineNames, history: ReleaseHistory, keep: int) -> None:
    """Remove earlier releases beyond the number to keep, with their images."""
    serving = history.serving
    # Containers of the serving release with earlier settings.
    stale = [
        one
        for one in history.held
        if serving is not None and one.release == serving.release and one is not serving
    ]
    for one in stale:
        engine.remove(one.container)
    for one in history.before()[keep:]:
        engine.remove(one.container)
        engine.remove_image(place.image(one.release))


def stop_all(engine: Engine, place: EngineNames, progress: Progress) -> None:
    """Let no container run; the port first, so that no client is left waiting."""
    found = engine.containers(place.label)
    for container in sorted(found, key=lambda one: one.labels.get(f"{LABEL}.role") != GATE):
        if container.status in ("running", "restarting", "paused"):
            progress.progress(0, 0, f"Stopping {container.name}")
            engine.stop(container)


def remove_all(engine: Engine, place: EngineNames, progress: Progress) -> None:
    """Remove the containers, the volume and the images."""
    for container in engine.containers(place.label):
        progress.progress(0, 0, f"Removing {container.name}")
        engine.remove(container)
    for volume in engine.volumes(place.label):
        engine.remove_volume(volume)
    for name in _image_names(engine, place):
        progress.progress(0, 0, f"Removing {name}")
        engine.remove_image(name)


def list_resources(engine: Engine, place: EngineNames) -> list[Resource]:
    """Return all resources of this target, with leftovers of an interrupted deploy."""
    where = engine.url
    rows = [
        Resource(
            "container",
            str(one.name),
            where,
            str(one.attrs.get("Created") or ""),
            running=one.status in ("running", "restarting", "paused"),
        )
        for one in engine.containers(place.label)
    ]
    rows += [Resource("volume", name, where) for name in engine.volumes(place.label)]
    rows += [Resource("image", name, where) for name in _image_names(engine, place)]
    return rows


def _image_names(engine: Engine, place: EngineNames) -> list[str]:
    prefix = f"{place.repository}:"
    found = [*engine.images(f"{LABEL}.release"), *engine.images(f"{LABEL}.role=gate")]
    # Podman adds localhost/ to local names.
    names = {tag.removeprefix("localhost/") for image in found for tag in image.tags}
    return sorted(name for name in names if name.startswith(prefix))
