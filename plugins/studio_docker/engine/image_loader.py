"""Upload of an image into an engine without the layers that it already has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import Progress, StudioError, TargetError
from studio_docker.engine.client import Engine
from studio_docker.image.archive import write_archive
from studio_docker.image.base import (
    Base,
    from_archive,
    is_archive,
    no_python,
    python_from_link,
    python_of,
)
from studio_docker.image.build import Image
from studio_docker.image.layers import Layer
from studio_docker.image.settings import LABEL
from studio_docker.image.spec import ImageSpec

_LINKS = ("/usr/local/bin/python3", "/usr/bin/python3")


def find_base(engine: Engine | None, spec: ImageSpec, folder: Path, progress: Progress) -> Base:
    """Return the base image that a spec names: a file, or an image of the engine or its registry.

    Raises:
        StudioError: when it is not available, in one sentence.
    """
    if is_archive(spec.base):
        path = Path(spec.base).expanduser()
        return from_archive(path, folder, spec.arch or "amd64", spec.python)
    if engine is None:
        raise StudioError(
            f"Without a container engine the base image {spec.base} cannot be fetched.",
            hint="Save it into a file where there is one (docker save), and name that: base=FILE.",
        )
    return engine_base(engine, spec, progress)


def engine_base(engine: Engine, spec: ImageSpec, progress: Progress) -> Base:
    """Return a base image that the engine has or pulls; its layers stay there."""
    about = engine.image(spec.base)
    if about is None or (spec.arch and about["Architecture"] != spec.arch):
        platform = f"linux/{spec.arch}" if spec.arch else ""
        try:
            engine.pull(spec.base, platform, progress)
        except TargetError as error:
            raise TargetError(
                f"The base image {spec.base} is not here, and cannot be fetched: "
                f"{error.message[0].lower()}{error.message[1:]}",
                hint="Name another one, or a file of it, with base=.",
                detail=error.detail,
            ) from None
        about = engine.image(spec.base)
    if about is None or (spec.arch and about["Architecture"] != spec.arch):
        raise TargetError(f"There is no image {spec.base} for {spec.arch or 'this engine'}.")
    python = python_of(about["Config"] or {}, spec.python) or _linked(engine, spec.base)
    if python is None:
        raise no_python(spec.base)
    settings = {
        "architecture": about["Architecture"],
        "os": about["Os"],
        "config": {k: v for k, v in (about["Config"] or {}).items() if v},
    }
    layers = tuple(Layer("base", diff_id) for diff_id in about["RootFS"]["Layers"])
    return Base(spec.base, str(about["Id"]), settings, layers, python, int(about["Size"]))


def _linked(engine: Engine, name: str) -> tuple[int, int] | None:
    """Return the target of ``python3`` in an image, read from a container that never runs."""
    container = engine.create(name, "", command=["true"], labels={f"{LABEL}.role": "look"})
    try:
        for path in _LINKS:
            python = python_from_link(engine.link(container, path))
            if python is not None:
                return python
    finally:
        engine.remove(container)
    return None


class ImageLoader:
    """Brings images into one engine.

    Attributes:
        bytes_sent: What was sent so far.
    """

    def __init__(self, engine: Engine, folder: Path, progress: Progress) -> None:
        self._engine = engine
        self._folder = folder
        self._progress = progress
        self.bytes_sent = 0

    def bring(self, image: Image, tag: str) -> None:
        """Make sure that the engine has an image under a name."""
        if self._engine.image(image.id) is None:
            self._send(image, tag)
            if self._engine.image(image.id) is None:
                raise TargetError("The engine took the image but does not list it.")
        self._engine.tag(image.id, tag)

    def _send(self, image: Image, tag: str) -> None:
        known = self._known(image)
        if known:
            try:
                self._load(image, tag, known)
            except TargetError as error:
                if "disk" in error.message:
                    raise
                # Some engines want every layer in the file, also those that they have.
                self._progress.log(f"All layers are sent: {error.detail or error.message}")
            if self._engine.image(image.id) is not None:
                return
        self._load(self.whole(image), tag, ())

    def _load(self, image: Image, tag: str, known: Sequence[str]) -> None:
        path = self._folder / "image.tar"
        try:
            size = write_archive(path, image.text, image.all_layers, tag, self._progress, known)
            self._engine.load(path, self._progress)
            self.bytes_sent += size
        finally:
            path.unlink(missing_ok=True)

    def _known(self, image: Image) -> Sequence[str]:
        """Return the layers, from the lowest on, that the engine has on top of each other."""
        wanted = [layer.diff_id for layer in image.all_layers]
        stacks = [self._stack(image.base.name)]
        stacks += [self._stack(str(other.id)) for other in self._engine.images(f"{LABEL}.release")]
        return wanted[: max(_common(wanted, stack) for stack in stacks)]

    def _stack(self, name: str) -> Sequence[str]:
        about = None if is_archive(name) else self._engine.image(name)
        return about["RootFS"]["Layers"] if about else ()

    def whole(self, image: Image) -> Image:
        """Return an image with all layers as files; the engine exports those of its base."""
        base = image.base
        if all(layer.path for layer in base.layers):
            return image
        path = self._folder / "base.tar"
        try:
            self._engine.save(base.name, path, self._progress)
            python = "{}.{}".format(*base.python)
            found = from_archive(path, self._folder, str(base.settings["architecture"]), python)
        finally:
            path.unlink(missing_ok=True)
        if [one.diff_id for one in found.layers] != [one.diff_id for one in base.layers]:
            raise TargetError(
                f"The base image {base.name} has changed meanwhile.", hint="Repeat it."
            )
        return image.on(
            Base(base.name, base.digest, base.settings, found.layers, base.python, base.size)
        )


def _common(wanted: Sequence[str], stack: Sequence[str]) -> int:
    """Return how many layers two stacks share from the lowest on."""
    count = 0
    for one, other in zip(wanted, stack, strict=False):
        if one != other:
            break
        count += 1
    return count
