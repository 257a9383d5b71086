"""A container engine: the few things that are asked of it, each with a sentence when it refuses."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import docker
from docker.errors import ImageNotFound, NotFound
from docker.models.containers import Container
from docker.models.images import Image

from studio.api import Progress, TargetError
from studio_docker.engine.error_text import sentence, translated_errors

_STOP_S = 20
STOP_LABEL = "edgewright.stop_s"
"""Label with the seconds that a container may take to end."""

_REMOVALS = 5
_REMOVAL_PAUSE_S = 2.0
_LOAD_CHUNK = 1 << 20


class Engine:
    """One engine; closes with its client."""

    def __init__(self, client: docker.DockerClient, url: str) -> None:
        self._client = client
        self.url = url

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def facts(self) -> Mapping[str, Any]:
        """Return facts of the engine: ``product``, ``version``, ``arch``, ``os``, ``cpus`` ..."""
        with translated_errors("Asking the engine"):
            info, version = self._client.info(), self._client.version()
        names = [part.get("Name", "") for part in version.get("Components") or ()]
        return {
            "product": "Podman" if any("Podman" in name for name in names) else "Docker",
            "version": str(version.get("Version") or ""),
            "arch": str(info.get("Architecture") or ""),
            "os": str(info.get("OperatingSystem") or ""),
            "memory_mb": int(info.get("MemTotal") or 0) >> 20,
            "cpus": int(info.get("NCPU") or 0),
            "runtimes": {},
            "rootless": any("rootless" in text for text in info.get("SecurityOptions") or ()),
        }

    # Images

    def image(self, name: str) -> Mapping[str, Any] | None:
        """Return the engine's facts of an image, or None if it has no such name or ID."""
        with translated_errors(f"Looking for the image {name}"):
            try:
                return dict(self._client.images.get(name).attrs)
            except ImageNotFound:
                return None

    def images(self, label: str) -> list[Image]:
        """Return the images with a label (``name`` or ``name=value``)."""
        with translated_errors("Listing the images"):
            return list(self._client.images.list(filters={"label": label}))

    def pull(self, name: str, platform: str, progress: Progress) -> None:
        """Fetch an image from its registry."""
        with translated_errors(f"Fetching the image {name}"):
            repository, tag = split(name)
            lines = self._client.api.pull(
                repository, tag=tag, platform=platform or None, stream=True, decode=True
            )
            _follow(lines, f"Fetching the image {name}", progress)

    def push(self, name: str, progress: Progress) -> str:
        """Push an image to the registry in its name; return its digest there."""
        digest = ""
        with translated_errors(f"Pushing {name}"):
            repository, tag = split(name)
            lines = self._client.api.push(repository, tag=tag, stream=True, decode=True)
            for line in _follow_each(lines, f"Pushing {name}", progress):
                digest = str((line.get("aux") or {}).get("Digest") or digest)
        return digest

    def load(self, archive: Path, progress: Progress) -> None:
        """Take an image from a file."""
        size = archive.stat().st_size
        with translated_errors("Loading the image"), archive.open("rb") as file:
            chunks = _watched(file, size, progress)
            lines = self._client.api.load_image(chunks)  # type: ignore[no-untyped-call]
            for line in lines or ():
                if line.get("error"):
                    raise sentence("Loading the image", str(line["error"]))

    def save(self, name: str, path: Path, progress: Progress) -> None:
        """Write an image into a file."""
        done = 0
        with translated_errors(f"Reading the image {name}"), path.open("wb") as file:
            for chunk in self._client.api.get_image(name):
                done += file.write(chunk)
                progress.progress(0, 0, f"Reading the image {name}: {done >> 20} MB")

    def tag(self, image: str, name: str) -> None:
        """Give an image one more name."""
        repository, tag = split(name)
        with translated_errors(f"Naming the image {name}"):
            self._client.api.tag(image, repository, tag=tag)

    def remove_image(self, name: str) -> bool:
        """Remove a name, and what only it named; False when a container still needs it."""
        with translated_errors(f"Removing the image {name}"):
            try:
                self._client.api.remove_image(name)
            except ImageNotFound:
                return True
            except docker.errors.APIError as error:
                if error.status_code == 409:
                    return False
                raise
        return True

    # Containers

    def containers(self, *labels: str) -> list[Container]:
        """Return the containers with all these labels, stopped ones included."""
        with translated_errors("Listing the containers"):
            found = self._client.containers.list(
                all=True, filters={"label": list(labels)}, ignore_removed=True
            )
            return list(found)

    def create(self, image: str, name: str, **settings: Any) -> Container:
        """Make a container; it does not run yet."""
        with translated_errors(f"Making the container {name}"):
            return self._client.containers.create(image, name=name, **settings)

    def start(self, container: Container) -> None:
        """Run it."""
        with translated_errors(f"Starting the container {container.name}"):
            container.start()

    def stop(self, container: Container) -> None:
        """Let it finish its requests, for as long as its label allows, and end it."""
        given = str(container.labels.get(STOP_LABEL) or "")
        with translated_errors(f"Stopping the container {container.name}"):
            container.stop(timeout=int(given) if given.isdecimal() else _STOP_S)

    def remove(self, container: Container) -> None:
        """Take it away, running or not."""
        with translated_errors(f"Removing the container {container.name}"):
            for left in reversed(range(_REMOVALS)):
                try:
                    container.remove(force=True, v=False)
                    return
                except NotFound:
                    return
                except docker.errors.APIError as error:
                    # A busy engine loses the race with a container that it starts again and again.
                    if not left or error.status_code not in (409, 500):
                        raise
                    time.sleep(_REMOVAL_PAUSE_S)

    def state(self, container: Container) -> Mapping[str, Any]:
        """Return the engine's state of a container, or "" if it is gone."""
        with translated_errors(f"Asking for the container {container.name}"):
            try:
                container.reload()
            except NotFound:
                return {}
            return dict(container.attrs["State"])

    def execute(self, container: Container, *command: str) -> tuple[int, str]:
        """Run a command inside; its exit status and what it wrote."""
        with translated_errors(f"Asking inside the container {container.name}"):
            done = container.exec_run(list(command), stdin=False)
            output = cast(bytes, done.output or b"")
            return int(done.exit_code or 0), output.decode("utf-8", "replace")

    def stream(self, container: Container, *command: str) -> Iterator[str]:
        """Run a command inside; the lines that it writes, as they come."""
        with translated_errors(f"Asking inside the container {container.name}"):
            api, rest = self._client.api, b""
            made = api.exec_create(container.id, list(command), stdin=False)
            chunks = api.exec_start(made["Id"], stream=True)
            try:
                for chunk in chunks:
                    *lines, rest = (rest + chunk).split(b"\n")
                    yield from (line.decode("utf-8", "replace") for line in lines)
                yield from [rest.decode("utf-8", "replace")] if rest else ()
            finally:
                with suppress(OSError, docker.errors.DockerException):  # over SSH it cannot
                    chunks.close()
                vars(chunks)["_response"].close()  # which it leaves to the collector of garbage

    def logs(self, container: Container, lines: int) -> list[str]:
        """Return the last lines of its log."""
        with translated_errors(f"Reading the log of {container.name}"):
            text = container.logs(tail=lines)
            return text.decode("utf-8", "replace").splitlines()

    def link(self, container: Container, path: str) -> str:
        """Return the target of a symbolic link in a container, or "" if it is no link."""
        with translated_errors(f"Reading {path} of the container {container.name}"):
            try:
                _, about = container.get_archive(path)
            except NotFound:
                return ""
        return str((about or {}).get("linkTarget") or "")

    def read(self, container: Container, path: str) -> bytes | None:
        """Read a file of a container, running or not; return None if it does not exist."""
        with translated_errors(f"Reading {path} of the container {container.name}"):
            try:
                chunks, _ = container.get_archive(path)
                content = b"".join(chunks)
            except NotFound:
                return None
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            member = archive.next()
            file = archive.extractfile(member) if member and member.isfile() else None
            return file.read() if file else None

    def write(
        self, container: Container, folder: str, name: str, content: bytes, mode: int
    ) -> None:
        """Put a file into a folder of a container that may be written to."""
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(content), mode, int(time.time())
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.addfile(info, io.BytesIO(content))
        with translated_errors(f"Writing {name} into the container {container.name}"):
            container.put_archive(folder, packed.getvalue())

    # Volumes

    def volumes(self, label: str) -> list[str]:
        """Return the names of the volumes with a label."""
        with translated_errors("Listing the volumes"):
            found = self._client.volumes.list(filters={"label": label})
            return [str(volume.name) for volume in found]

    def make_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a volume unless one of that name exists."""
        with translated_errors(f"Making the volume {name}"):
            self._client.volumes.create(name, labels=dict(labels))

    def remove_volume(self, name: str) -> None:
        """Take it away."""
        with translated_errors(f"Removing the volume {name}"):
            try:
                self._client.volumes.get(name).remove()
            except NotFound:
                return


def split(name: str) -> tuple[str, str]:
    """Return repository and tag of an image's name; the default tag is ``latest``."""
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return name, "latest"
    return repository, tag


def _watched(file: io.BufferedReader, size: int, progress: Progress) -> Iterator[bytes]:
    done = 0
    while chunk := file.read(_LOAD_CHUNK):
        progress.progress(done, size, "Loading the image")
        done += len(chunk)
        yield chunk


def _follow(lines: Iterable[Mapping[str, Any]], what: str, progress: Progress) -> None:
    for _ in _follow_each(lines, what, progress):
        pass


def _follow_each(
    lines: Iterable[Mapping[str, Any]], what: str, progress: Progress
) -> Iterator[Mapping[str, Any]]:
    """Yield each line of the engine's report.

    Raises:
        TargetError: for the first line that reports a failure.
    """
    parts: dict[str, tuple[int, int]] = {}
    for line in lines:
        if line.get("error"):
            raise sentence(what, str(line["error"]))
        detail = line.get("progressDetail") or {}
        if detail.get("total"):
            key = f"{line.get('id')} {line.get('status')}"
            parts[key] = (int(detail.get("current") or 0), int(detail["total"]))
            done, total = (sum(values) for values in zip(*parts.values(), strict=True))
            progress.progress(done, total, f"{what}: {line.get('status')}")
        else:
            progress.check()
            progress.log(f"{line.get('id') or ''} {line.get('status') or ''}".strip())
        yield line


def parse_json(text: str, what: str) -> Any:
    """Parse the JSON document that a command in the container printed.

    Raises:
        TargetError: when it is not valid JSON.
    """
    try:
        return json.loads(text.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise TargetError(f"{what} gave no answer that can be read.", detail=text) from None
