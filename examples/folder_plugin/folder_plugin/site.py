"""The verbs of the studio on one folder."""

from __future__ import annotations

import getpass
import os
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from folder_plugin import server
from folder_plugin.record import Record
from studio.api import (
    Action,
    Deployed,
    Identity,
    Parcel,
    PlatformRelease,
    Preview,
    Progress,
    Refused,
    Resource,
    TargetError,
)


class Way:
    """A server of this computer needs no tunnel."""

    host = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> Way:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is forwarded."""


class FolderSite:
    """One folder, which serves one model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def identity(self) -> Identity:
        facts = {"arch": platform.machine(), "python": platform.python_version()}
        return Identity(getpass.getuser(), str(self._folder), facts)

    def preview(self, parcel: Parcel, options: Mapping[str, Any]) -> Preview:
        actions = [self._room()]
        if int(options.get("canary") or 0):
            text = "A folder has one server, which cannot share its requests."
            actions.append(Action("canary", text, "blocked", "Deploy without a canary."))
        if Record.read(self._folder).serving == parcel.digest:
            actions.append(Action("copy", "This release is served already.", "skipped"))
        else:
            actions.append(Action("copy", f"Version {parcel.version} of {parcel.name}."))
            actions.append(Action("serve", "A new server, then the end of the one before."))
        return Preview(tuple(actions), cost_note="It runs on this computer.")

    def deploy(self, parcel: Parcel, options: Mapping[str, Any], progress: Progress) -> Deployed:
        for action in self.preview(parcel, options).actions:
            if action.state == "blocked":
                raise Refused(action.text, hint=action.hint)
        record = self._tidy()
        if record.serving == parcel.digest and server.lives(record.server):
            return Deployed(parcel.digest, "unchanged", _endpoint(record.server))
        sent = self._copy(parcel, progress)
        facts = {"name": parcel.name, "version": parcel.version, "by": parcel.owner}
        return self._serve(record, parcel.digest, facts, progress, sent)

    def promote(self, progress: Progress) -> Deployed:
        raise TargetError(f"There is no canary in {self._folder}.")

    def rollback(self, to: str | None, progress: Progress) -> Deployed:
        record = self._tidy()
        digest = _chosen(record, to)
        if digest is None:
            raise TargetError(f"There is no {to or 'earlier release'} in {self._folder}.")
        return self._serve(record, digest, record.releases[digest], progress, 0)

    def releases(self) -> Sequence[PlatformRelease]:
        return Record.read(self._folder).rows()

    def reach(self) -> Way | None:
        record = Record.read(self._folder)
        if not server.lives(record.server):
            raise TargetError(f"Nothing is served in {self._folder}.")
        return Way(int(record.server["port"]))

    def infer(self, request: bytes, head_length: int) -> tuple[bytes, int]:
        raise TargetError("A folder's server is asked itself.")

    def measure(self) -> None:
        return None

    def logs(self, lines: int) -> Iterator[str]:
        log = self._place(Record.read(self._folder).serving) / server.LOG
        if log.is_file():
            yield from log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]

    def remove(self, purge: bool, progress: Progress) -> Sequence[Resource]:
        record = self._tidy()
        server.end(record.server)
        if record.serving:
            record.serving, record.server = "", {}
            record.write(self._folder)
        if purge:
            shutil.rmtree(self._folder / "releases", ignore_errors=True)
            (self._folder / "record.json").unlink(missing_ok=True)
        return self.resources()

    def resources(self) -> Sequence[Resource]:
        record = Record.read(self._folder)
        where = str(self._folder)
        found = [
            Resource("server", f"process {one['pid']}", where, running=True)
            for one in (record.server, record.starting)
            if server.lives(one)
        ]
        places = (self._folder / "releases").glob("*")
        return [*found, *(Resource("release", place.name[:12], where) for place in places)]

    def close(self) -> None:
        """There is no connection to end."""

    def _room(self) -> Action:
        """Whether the folder can be written to, without making it."""
        place = self._folder
        while not place.exists() and place != place.parent:
            place = place.parent
        if os.access(place, os.W_OK | os.X_OK) and place.is_dir():
            return Action("folder", f"{self._folder} can be written to.", "checked")
        return Action("folder", f"{self._folder} cannot be written to.", "blocked", "Name another.")

    def _place(self, digest: str) -> Path:
        return self._folder / "releases" / (digest or "none")

    def _tidy(self) -> Record:
        """The record, after the end of a server that an interrupted deploy has left."""
        record = Record.read(self._folder)
        if record.starting:
            server.end(record.starting)
            record.starting = {}
            record.write(self._folder)
        return record

    def _copy(self, parcel: Parcel, progress: Progress) -> int:
        """Copy bundle and runtime, whole or not at all; the bytes that were copied."""
        place = self._place(parcel.digest)
        if place.exists():
            return 0
        new = place.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        progress.progress(0, 0, f"Copying to {self._folder}")
        try:
            shutil.copytree(parcel.bundle, new / "bundle")
            shutil.copyfile(parcel.runtime, new / "runtime.pyz")
            new.rename(place)
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)
            raise TargetError(f"{self._folder} cannot be written: {error.strerror}.") from None
        return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())

    def _serve(
        self,
        record: Record,
        digest: str,
        facts: Mapping[str, Any],
        progress: Progress,
        sent: int,
    ) -> Deployed:
        """Start the server of a release, and end the one before when it is ready."""
        place, before = self._place(digest), record.server
        record.starting = server.start(place)
        record.write(self._folder)
        try:
            port = server.wait(record.starting, place, progress)
        except BaseException:
            server.end(record.starting)
            raise
        at = datetime.now(UTC).isoformat(timespec="seconds")
        record.serve(digest, {**record.starting, "port": port}, {**facts, "at": at})
        record.write(self._folder)
        server.end(before)
        return Deployed(digest, "serving", _endpoint(record.server), sent)


def _chosen(record: Record, to: str | None) -> str | None:
    """The release to go back to: a version's number, first digits, or the one before."""
    earlier = [digest for digest in reversed(record.releases) if digest != record.serving]
    if to is None:
        return earlier[0] if earlier and record.serving else None
    for digest in reversed(record.releases):
        if digest.startswith(to) or str(record.releases[digest]["version"]) == to.lstrip("v"):
            return digest
    return None


def _endpoint(serving: Mapping[str, Any]) -> str:
    return f"http://127.0.0.1:{serving['port']}"
