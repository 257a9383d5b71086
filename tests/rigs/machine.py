"""A machine target in the terms of a platform, so that one conformance suite covers both.

The studio's own deployment steps do everything; this only puts their results into the other words.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, get_type_hints

from studio.api import (
    Deployed,
    Identity,
    Measurement,
    Option,
    Parcel,
    PlatformRelease,
    Preview,
    Progress,
    Resource,
    Silent,
    TargetSpec,
    Tunnel,
)
from studio.api.platforms import Action
from studio.deployment import work
from studio.deployment.liveness import server_info
from studio.documents.dataclass_json import from_json, to_json
from studio.jobs import Job
from studio.settings.user import owner
from studio.targets.connect import open_channel, root_of

Step = Callable[[Mapping[str, Any], Job], dict[str, Any]]

_STATES = {"rolled back": "replaced", "removed": "replaced"}
"""A machine's journal says more than a platform's record: why a release is not served any more."""

_ACTIONS = {"done": "checked"}
"""What a plan has looked at already."""


class MachinePlatform:
    """Machines of one kind as a platform; a job's folder for each step lies below ``folder``."""

    title = "Machine"
    options: Sequence[Option] = ()
    deploy_options: Sequence[Option] = ()

    def __init__(self, scheme: str, folder: Path) -> None:
        self.id = scheme
        self.schemes = (scheme,)
        self._folder = folder

    def open(self, target: TargetSpec, progress: Progress) -> MachineSite:
        """A session; each step opens a channel of its own."""
        return MachineSite(target, self._folder)


class MachineSite:
    """One machine; each verb is the step of that name."""

    def __init__(self, target: TargetSpec, folder: Path) -> None:
        self._target = target
        self._folder = folder
        self._numbers = itertools.count()

    def identity(self) -> Identity:
        """The login and the folder of releases."""
        facts = self._step(work.probe_target)
        return Identity(owner(), f"{facts['name']}: {facts['root']}", facts)

    def preview(self, parcel: Parcel, options: Mapping[str, Any]) -> Preview:
        """A dry run."""
        done = self._deploy(parcel, options, Silent(), dry_run=True)
        rows = done["steps"]
        return Preview(
            tuple(Action(r["name"], r["text"], _ACTIONS.get(r["state"], r["state"])) for r in rows)
        )

    def deploy(self, parcel: Parcel, options: Mapping[str, Any], progress: Progress) -> Deployed:
        """Put a bundle to work."""
        done = self._deploy(parcel, options, progress)
        return Deployed(done["release"], done["state"], done["endpoint"], done["bytes_sent"])

    def promote(self, progress: Progress) -> Deployed:
        """Refused by the step."""
        raise AssertionError(f"a machine has promoted: {self._step(work.promote, progress)}")

    def rollback(self, to: str | None, progress: Progress) -> Deployed:
        """Serve the release before."""
        done = self._step(work.rollback, progress, to=to)
        return Deployed(done["release"], "serving", "")

    def releases(self) -> Sequence[PlatformRelease]:
        """The machine's journal; what is served has all requests."""
        return [
            PlatformRelease(
                release=row["release"],
                name=row["name"],
                version=row["version"],
                state=_STATES.get(row["state"], row["state"]),
                traffic=100 if row["state"] == "serving" else 0,
                at=row["at"],
                by=row["by"],
                reason=row["reason"],
            )
            for row in self._step(work.releases)["releases"]
        ]

    def reach(self) -> Tunnel:
        """The served port through the connector's channel, which ends with the way."""
        with ExitStack() as stack:
            channel = open_channel(self._target, Silent())
            stack.callback(channel.close)
            port = server_info(channel, root_of(self._target, channel))["port"]
            tunnel = stack.enter_context(channel.forward(int(port)))
            return _Way(tunnel, stack.pop_all())

    def infer(self, request: bytes, head_length: int) -> tuple[bytes, int]:
        """Never asked: there is a way to the server's port."""
        raise NotImplementedError

    def measure(self) -> Measurement | None:
        """The server itself is asked."""
        return None

    def logs(self, lines: int) -> Iterator[str]:
        """The end of the server's log."""
        yield from self._step(work.logs, lines=lines)["lines"]

    def remove(self, purge: bool, progress: Progress) -> Sequence[Resource]:
        """Undeploy; what is left is listed."""
        self._step(work.undeploy, progress, purge=purge)
        return self.resources()

    def resources(self) -> Sequence[Resource]:
        """What lies below the folder of releases."""
        return [Resource(**row) for row in self._step(work.resources)["resources"]]

    def close(self) -> None:
        """Nothing is kept open between steps."""

    def _deploy(
        self, parcel: Parcel, options: Mapping[str, Any], progress: Progress, **more: Any
    ) -> dict[str, Any]:
        given = {**options, **more, "bundle": str(parcel.bundle), "soak_s": 0.1}
        return self._step(work.deploy, progress, **given)

    def _step(self, step: Step, progress: Progress | None = None, **options: Any) -> dict[str, Any]:
        job = _Job(self._folder / str(next(self._numbers)), progress or Silent())
        form = get_type_hints(step)["options"]
        given = from_json(form, {**options, "target": asdict(self._target)})
        return dict(to_json(step(given, job)))


class _Job:
    """A step's job that tells the suite's progress."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.progress = progress.progress
        self.log = progress.log
        self.check = progress.check

    def event(self, name: str, /, **values: Any) -> None:
        """A deploy's steps say how far it is, also where nothing needs to be sent."""
        if name == "step":
            done = sum(row["state"] != "running" for row in values["steps"])
            self.progress(done, 0, values["steps"][-1]["name"])


class _Way:
    """A tunnel that closes its channel, too."""

    def __init__(self, tunnel: Tunnel, stack: ExitStack) -> None:
        self.host = tunnel.host
        self.port = tunnel.port
        self._stack = stack

    def __enter__(self) -> _Way:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop forwarding, and end the channel."""
        self._stack.close()
