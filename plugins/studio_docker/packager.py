"""The packager: an image in an engine and a registry, or a file and a build context without one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.api import Kind, Option, Parcel, Progress, StudioError, Unavailable, UsageError
from studio_docker.containers.generation import require_libraries
from studio_docker.engine.client import Engine
from studio_docker.engine.connection import connect, default_engine
from studio_docker.engine.image_loader import ImageLoader, find_base
from studio_docker.image.archive import write_archive
from studio_docker.image.base import Base, from_archive, is_archive
from studio_docker.image.build import Image, build_image, work_folder
from studio_docker.image.build_context import write_context
from studio_docker.image.spec import IMAGE_OPTIONS, ImageSpec

ARCHIVE, CONTEXT, SBOM = "image.tar", "context", "sbom.cdx.json"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(
    rf"(?:[A-Za-z0-9.-]+(?::\d+)?/)?{_COMPONENT}(?:/{_COMPONENT})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
)


class ImagePackager:
    """Makes the container image of a bundle."""

    id = "image"
    title = "Container image"
    options: Sequence[Option] = (
        Option(
            "tag", title="Name", required=True, help="Name and tag of the image, such as digits:1."
        ),
        Option(
            "push",
            Kind.FLAG,
            default=False,
            title="Push to its registry",
            help="Push the image to the registry in its name.",
        ),
        Option(
            "file",
            Kind.FLAG,
            default=False,
            title="Write a file",
            help="Also write the image and its build context to files.",
        ),
        Option(
            "engine",
            default="",
            title="Engine",
            help="Address of the container engine.",
            advanced=True,
        ),
        *IMAGE_OPTIONS,
    )

    def build(
        self, parcel: Parcel, output: Path, options: Mapping[str, Any], progress: Progress
    ) -> Mapping[str, Any]:
        """Build the image, load it into the engine if there is one, and push it on request.

        Returns:
            ``image`` (its name), ``id``, ``bytes`` (unpacked), ``parts`` (bytes of each),
            ``engine`` (empty without one), ``pushed`` (its digest in the registry), ``next``
            (commands without an engine), and, where they were written, ``path``, ``context``
            and ``sbom``.

        Raises:
            UsageError: for a name that no image can have.
            StudioError: in one sentence, for what an engine or a registry refused.
        """
        tag = checked_name(str(options["tag"]))
        spec = ImageSpec.of(options)
        engine, reason = _engine(str(options["engine"] or ""))
        try:
            with work_folder(parcel) as folder:
                made = _ImageBuild(parcel, spec, tag, output, Path(folder), progress)
                return made.with_engine(engine, options) if engine else made.alone(reason, options)
        finally:
            if engine is not None:
                engine.close()


class _ImageBuild:
    """One image on its way."""

    def __init__(
        self,
        parcel: Parcel,
        spec: ImageSpec,
        tag: str,
        output: Path,
        folder: Path,
        progress: Progress,
    ) -> None:
        self._parcel = parcel
        self._spec = spec
        self._tag = tag
        self._output = output
        self._folder = folder
        self._progress = progress

    def with_engine(self, engine: Engine, options: Mapping[str, Any]) -> dict[str, Any]:
        """Load it into an engine."""
        base = find_base(engine, self._spec, self._folder, self._progress)
        require_libraries(engine, self._parcel, base)
        image = self._image(base)
        supply = ImageLoader(engine, self._folder, self._progress)
        supply.bring(image, self._tag)
        found = {**self._facts(image), "engine": engine.url, "bytes_sent": supply.bytes_sent}
        if options["file"]:
            found.update(self._files(supply.whole(image)))
        if options["push"]:
            found["pushed"] = engine.push(self._tag, self._progress)
        return found

    def alone(self, reason: StudioError, options: Mapping[str, Any]) -> dict[str, Any]:
        """Write what another machine needs to load or build it.

        Raises:
            StudioError: when the image was to be pushed, which an engine does.
        """
        if options["push"]:
            raise reason
        self._progress.log(f"{reason.message} The image is written into a file")
        if not is_archive(self._spec.base):
            return self._context_alone(reason)
        path = Path(self._spec.base).expanduser()
        arch, python = self._spec.arch or "amd64", self._spec.python
        image = self._image(from_archive(path, self._folder, arch, python))
        found = {**self._facts(image), **self._files(image)}
        load = f"Where there is an engine: docker load --input {ARCHIVE}"
        return {**found, "next": f"{reason.message} {load}"}

    def _context_alone(self, reason: StudioError) -> dict[str, Any]:
        """Build the context without a base image; the Python for the libraries must be known."""
        found = re.search(r"(?:^|[^\d.])(3\.\d+)", self._spec.python or self._spec.base)
        if found is None:
            raise Unavailable(
                f"{reason.message} The Python of {self._spec.base} is not known without one.",
                hint="Name it with python=3.13, or a file of the base image with base=FILE.",
            )
        major, minor = map(int, found[1].split("."))
        settings = {"architecture": self._spec.arch or "amd64", "os": "linux", "config": {}}
        base = Base(self._spec.base, "", settings, (), (major, minor), 0)
        image = self._image(base)
        build = f"Where there is an engine: docker build --tag {self._tag} {CONTEXT}"
        facts = {**self._facts(image), "id": "", **self._context(image)}
        return {**facts, "next": f"{reason.message} {build}"}

    def _image(self, base: Base) -> Image:
        return build_image(self._parcel, self._spec, base, self._folder, self._progress)

    def _facts(self, image: Image) -> dict[str, Any]:
        return {
            "image": self._tag,
            "id": image.id,
            "bytes": image.size,
            "parts": image.parts,
            "layers": [layer.diff_id for layer in image.layers],
            "engine": "",
            "bytes_sent": 0,
            "pushed": "",
            "next": "",
        }

    def _files(self, image: Image) -> dict[str, Any]:
        self._output.mkdir(parents=True, exist_ok=True)
        path = self._output / ARCHIVE
        try:
            write_archive(path, image.text, image.all_layers, self._tag, self._progress)
            return {"path": str(path), **self._context(image)}
        except OSError as error:
            path.unlink(missing_ok=True)
            raise StudioError(f"The image cannot be written: {error.strerror}.") from None

    def _context(self, image: Image) -> dict[str, Any]:
        context, sbom = self._output / CONTEXT, self._output / SBOM
        self._output.mkdir(parents=True, exist_ok=True)
        base = self._spec.base
        if is_archive(base):  # the name that it is to be loaded under, before the build
            base = Path(base).stem.lower()
        write_context(context, self._parcel, base, image.libraries, image.sbom, image.config)
        sbom.write_bytes(image.sbom)
        return {"context": str(context), "sbom": str(sbom)}


def checked_name(name: str) -> str:
    """Return a name, with a tag, that engines and registries accept.

    Raises:
        UsageError: for any other.
    """
    if not _NAME.fullmatch(name) or len(name) > 255:
        raise UsageError(
            f"Invalid image name {name!r}.",
            hint="Small letters and digits, like digits:1 or registry.example:5000/team/digits:1.",
        )
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _engine(wanted: str) -> tuple[Engine | None, StudioError]:
    """Return the engine, or the reason why it is missing."""
    url = wanted or default_engine()
    try:
        return Engine(connect(url), url), StudioError("")
    except StudioError as error:
        return None, error
