"""An image of a bundle, made without an engine: layers, settings, the list of its parts."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.api import Parcel, Progress, Refused, Unavailable
from studio_docker.image import contents, settings
from studio_docker.image.base import Base
from studio_docker.image.contents import Library
from studio_docker.image.layers import Layer, write_layer
from studio_docker.image.sbom import sbom
from studio_docker.image.spec import ImageSpec

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Image:
    """An image whose layers lie in files.

    Attributes:
        id: SHA-256 of its settings, as engines name it.
        text: The settings, as they stand in the image.
        config: What it runs and as whom.
        layers: Ours, above those of the base.
    """

    id: str
    text: bytes
    config: Mapping[str, Any]
    base: Base
    layers: tuple[Layer, ...]
    libraries: tuple[Library, ...] = ()
    sbom: bytes = b""

    @property
    def all_layers(self) -> tuple[Layer, ...]:
        """The base's, then ours."""
        return (*self.base.layers, *self.layers)

    @property
    def size(self) -> int:
        """Bytes, unpacked."""
        return self.base.size + sum(layer.unpacked for layer in self.layers)

    @property
    def parts(self) -> dict[str, int]:
        """Bytes of each part."""
        return {"base": self.base.size, **{one.title: one.unpacked for one in self.layers}}

    def on(self, base: Base) -> Image:
        """Return the same image with the layers of its base at hand."""
        return replace(self, base=base)


def work_folder(parcel: Parcel) -> tempfile.TemporaryDirectory[str]:
    """Return the work folder of the layers: the job's own, which is cleared after a crash."""
    return tempfile.TemporaryDirectory(prefix="image-", dir=parcel.runtime.parent)


def build_image(
    parcel: Parcel, spec: ImageSpec, base: Base, folder: Path, progress: Progress
) -> Image:
    """Build the image of a bundle; equal inputs give equal digests.

    Raises:
        Unavailable: when the libraries are not available.
        Refused: when it is larger than its budget.
    """
    at = settings.created(parcel)
    libraries = find_libraries(parcel, spec, base, progress)
    has_app = bool(parcel.manifest.get("app"))
    listed = sbom(parcel, base, libraries, spec.licence)
    parts = (
        ("libraries", contents.library_entries(libraries), 0),
        ("runtime", contents.runtime_entries(parcel.runtime, has_app), 0),
        ("bundle", contents.bundle_entries(parcel.bundle, listed), int(at.timestamp())),
    )
    layers = []
    for number, (title, entries, time) in enumerate(parts):
        progress.progress(number, len(parts), f"Writing the layer {title}")
        layers.append(write_layer(folder / f"{title}.tar", title, entries, time))
        progress.log(f"layer {title}: {layers[-1].unpacked / _MB:.1f} MB, {layers[-1].diff_id}")
    found = settings.labels(parcel, base, spec.licence, spec.source)
    config = settings.server(spec.user, found, has_app)
    identifier, text = settings.document(base, layers, config, at)
    image = Image(identifier, text, config, base, tuple(layers), tuple(libraries), listed)
    progress.log(f"image {identifier}: {image.size / _MB:.1f} MB")
    check_budget(image, spec.budget_mb)
    return image


def build_gate(parcel: Parcel, user: str, base: Base, folder: Path) -> Image:
    """Make the small image that keeps a port."""
    entries = contents.runtime_entries(parcel.runtime)
    layer = write_layer(folder / "gate.tar", "runtime", entries, 0)
    config = settings.gate(user)
    identifier, text = settings.document(base, [layer], config, settings.created(parcel))
    return Image(identifier, text, config, base, (layer,))


def find_libraries(
    parcel: Parcel, spec: ImageSpec, base: Base, progress: Progress
) -> Sequence[Library]:
    """Return the wheels for the base image's processor and Python."""
    if parcel.wheels is None:
        raise Unavailable("Nothing here finds the libraries of an image.")
    pictures = bool(parcel.manifest.get("preprocess") or parcel.manifest.get("app"))
    wanted = spec.requirements(parcel.requirements, pictures)
    found = contents.libraries(parcel.wheels(base.arch, base.python, wanted))
    progress.log(", ".join(f"{library.name} {library.version}" for library in found))
    return found


def check_budget(image: Image, budget_mb: int) -> None:
    """Refuse an image that is too large.

    Raises:
        Refused: with the size of each part.
    """
    if not budget_mb or image.size <= budget_mb * _MB:
        return
    parts = ", ".join(f"{name} {size / _MB:.0f} MB" for name, size in image.parts.items())
    raise Refused(
        f"The image has {image.size / _MB:.0f} MB, more than its budget of {budget_mb} MB.",
        hint=f"It is made of: {parts}. A smaller base image helps most.",
    )
