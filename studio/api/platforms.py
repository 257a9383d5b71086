"""Platforms: kinds of targets that run a bundle by themselves (an engine, a cluster, a cloud).

A machine is reached through a Connector and the studio does the rest. A platform has its own idea
of starting, replacing and removing a server; its plugin puts the studio's verbs into those terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Protocol

from studio.api.options import Option
from studio.api.progress import Progress
from studio.api.targets import TargetSpec, Tunnel
from studio.lazy_dataclass import dataclass
from studio.runtime.shared.statistics import wilson as wilson  # decisions from counted requests


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a platform is given to run.

    Attributes:
        bundle: Folder of the verified bundle.
        runtime: The zip application that serves it (``python3 RUNTIME serve --bundle BUNDLE``).
        digest: SHA-256 of the bundle's manifest, the release's name everywhere.
        manifest: The bundle's ``manifest.json``.
        owner: Who deploys (``ann@workstation``).
        wheels: Finds the libraries for a processor (as ``uname -m`` says), a Python and a list of
            requirements (``numpy>=1.19``), from its cache or an index: files of wheels that go
            with glibc 2.28. It raises Unavailable, and runs in the studio, never on the platform.
        memory_mb: Memory of the server of a language model whose slots are full, as predicted; 0
            where it is unknown, and for any other model.
    """

    bundle: Path
    runtime: Path
    digest: str
    manifest: Mapping[str, Any]
    owner: str = ""
    wheels: Callable[[str, tuple[int, int], Sequence[str]], Sequence[Path]] | None = None
    memory_mb: int = 0

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.manifest["name"])

    @property
    def version(self) -> int:
        """The model's version."""
        return int(self.manifest["version"])

    @property
    def members(self) -> Mapping[str, Path]:
        """Files as which a release travels to boards without SSH, by their names there.

        They are the manifest, its signature where it has one, and each file under its SHA-256.
        """
        own = (self.bundle / name for name in ("manifest.json", "manifest.json.sig"))
        files = dict(self.manifest["files"])
        named = {str(facts["sha256"]): self.bundle / name for name, facts in files.items()}
        return {**{one.name: one for one in own if one.is_file()}, **named}

    @property
    def requirements(self) -> Mapping[str, str]:
        """What the server needs to have installed: distribution -> version (``>=1.17``)."""
        return {str(k): str(v) for k, v in dict(self.manifest.get("runtime") or {}).items()}


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom a platform knows the user, and which place a target means there.

    Attributes:
        who: An account, a role, a user.
        where: An engine, a cluster and its namespace, a region, a project.
        facts: What else is worth showing (``version``, ``arch``, ``memory_mb``).
    """

    who: str
    where: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a deploy would do, or that stands in its way.

    Attributes:
        state: ``planned``, ``skipped`` (it is so already), ``checked``, ``warning`` or ``blocked``.
        hint: What to do about a warning or a block.
    """

    name: str
    text: str
    state: str = "planned"
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a deploy would do; nothing has been changed.

    Attributes:
        documents: What would be sent, by file name: manifests, a Dockerfile, a difference.
        cost_per_hour: None where the platform costs nothing or the price is not known.
        cost_note: How the cost was reckoned, as of when; or why it is not known.
    """

    actions: tuple[Action, ...]
    documents: Mapping[str, str] = field(default_factory=dict)
    cost_per_hour: float | None = None
    currency: str = ""
    cost_note: str = ""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A release that a platform serves now.

    Attributes:
        state: ``serving``, ``canary`` (it gets a part of the requests) or ``unchanged``.
        endpoint: Address to show to the user; may be empty where there is none.
        bytes_sent: What was uploaded.
    """

    release: str
    state: str
    endpoint: str
    bytes_sent: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlatformRelease:
    """One release in a platform's own record, as it stands there.

    Attributes:
        state: ``starting``, ``serving``, ``canary``, ``failed`` or ``replaced``.
        traffic: Percent of the requests that it gets.
        at: When it was deployed, ISO 8601 in UTC; empty where it is not known.
        reason: Why it failed or was replaced.
    """

    release: str
    name: str
    version: int
    state: str
    traffic: int = 0
    at: str = ""
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a platform itself measured of the serving release, over its own last minutes.

    Attributes:
        latency_ms: ``p50``, ``p90`` and ``p99``, as far as the platform tells them.
        window_s: The time that the figures cover.
    """

    ready: bool
    requests: int
    errors: int
    throughput: float
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    window_s: float = 60.0
    release: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that exists at a platform because the studio made it.

    Attributes:
        kind: In the platform's words (``container``, ``image``, ``endpoint``).
        running: Whether it costs something or takes memory while nobody asks.
        removable: Whether ``remove`` with ``purge`` takes it away.
    """

    kind: str
    name: str
    where: str = ""
    since: str = ""
    running: bool = False
    removable: bool = True
    cost_per_hour: float | None = None


class Site(Protocol):
    """An open session with a platform, at the place that one target names. Not thread-safe.

    One site serves one model, a release at a time, or two while a canary is judged. Each change
    may be repeated after an interruption and goes on where it was. What was deployed is written
    at the platform (labels, tags), not only in the studio, so that two studios see the same.

    Every method raises TargetError in one sentence when the platform does not answer or refuses.
    """

    def identity(self) -> Identity:
        """Who and where; changes nothing."""

    def preview(self, parcel: Parcel, options: Mapping[str, object]) -> Preview:
        """What ``deploy`` with the same arguments would do; changes nothing."""

    def deploy(self, parcel: Parcel, options: Mapping[str, object], progress: Progress) -> Deployed:
        """Serve a release; the one before serves until this one is ready, and goes on if it fails.

        Args:
            options: Checked values of the platform's ``deploy_options``, and ``canary``: percent
                of the requests for the new release; 0 replaces the old one. Where the manifest
                says ``trials = true``, also ``trial``: None, or ``seconds`` (the longest that the
                release is held against the one before) and ``rule`` (name -> value, as
                ``--trial-rule``); and ``agreement``: share of a core for comparing the answers of
                both from then on. The evidence of a trial is ``soak`` among the facts.

        Raises:
            Refused: before anything is changed, for what ``preview`` calls blocked.
            TakenBack: when it was worse in its trial; the one before serves again.
        """

    def promote(self, progress: Progress) -> Deployed:
        """Give all requests to the canary.

        Raises:
            TargetError: when there is no canary.
        """

    def rollback(self, to: str | None, progress: Progress) -> Deployed:
        """End the canary, or serve an earlier release again.

        Args:
            to: A version's number or the first digits of a release; None for the one before.
        """

    def releases(self) -> Sequence[PlatformRelease]:
        """Those that the platform knows, the newest first."""

    def reach(self) -> Tunnel | None:
        """A local way to the serving release's own HTTP port; None where there is none.

        The way may have an attribute ``token``: what that server wants to be shown.
        """

    def infer(self, request: bytes, head_length: int) -> tuple[bytes, int]:
        """Send one request of the Open Inference Protocol, version 2, as REST has it.

        Asked only where ``reach`` gives None.

        Args:
            head_length: Bytes of the JSON head before binary tensors; 0 when it is JSON alone.

        Returns:
            The answer and the length of its JSON head, 0 when it is JSON alone.
        """

    def measure(self) -> Measurement | None:
        """Figures of the platform's own; None where the server itself should be asked."""

    def logs(self, lines: int) -> Iterator[str]:
        """The last lines of what the serving release logged, the oldest first."""

    def remove(self, purge: bool, progress: Progress) -> Sequence[Resource]:
        """Stop serving.

        Args:
            purge: Also remove what costs nothing while it lies there (images, earlier releases).

        Returns:
            What is left there, which is nothing removable after a purge.
        """

    def resources(self) -> Sequence[Resource]:
        """Everything there that the studio made for this target."""

    def close(self) -> None:
        """End the session."""


class Platform(Protocol):
    """A kind of target that runs bundles by itself. Runs in a worker with network and home.

    Attributes:
        schemes: The URL schemes it answers for.
        options: Settings of a target (a namespace, a profile's name); never a secret.
        deploy_options: Choices of one deploy (replicas, an instance type); a target's settings of
            the same names are their defaults.
    """

    id: str
    title: str
    schemes: tuple[str, ...]
    options: Sequence[Option]
    deploy_options: Sequence[Option]

    def open(self, target: TargetSpec, progress: Progress) -> Site:
        """Open a session.

        Raises:
            UsageError: when the URL or a setting does not fit.
            Unavailable: when something that it needs is not installed or not running, with what
                to do.
            TargetError: when the platform does not answer, or refuses the credentials.
        """
