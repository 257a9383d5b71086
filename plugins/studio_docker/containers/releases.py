"""Containers of releases: made without a network and without rights, tried, given their turn."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docker.models.containers import Container
from docker.types import DeviceRequest

from studio.api import Parcel, Progress, TargetError
from studio_docker.containers import generation
from studio_docker.containers.access_tokens import TOKEN
from studio_docker.containers.app_place import AppPlace
from studio_docker.containers.names import EngineNames, wish_of
from studio_docker.engine.client import STOP_LABEL, Engine, parse_json
from studio_docker.image.contents import APP_DATA, RUNTIME, TURNS

PROGRAM = ("python3", f"/{RUNTIME}")
_POLL_S = 0.3
_LOG_LINES = 30
_ANSWER_S = "60"
"""For each prompt of a language model."""

# The engine counts processors in billionths.
_CPU = 1_000_000_000
_LOG = {"max-size": "10m", "max-file": "3"}


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """Settings of a release's container.

    Attributes:
        guarded: Whether callers must send a token.
        app: What an app needs besides; None for a model alone.
        server: Arguments of the server of a language model.
    """

    memory_mb: int
    cpus: float
    restart: str
    variant: str
    wait_s: int
    guarded: bool = False
    app: AppPlace | None = None
    server: tuple[str, ...] = ()

    @classmethod
    def of(cls, parcel: Parcel, options: Mapping[str, Any]) -> ContainerSpec:
        """Return the container settings in checked options."""
        return cls(
            memory_mb=int(options["memory_mb"] or 0),
            cpus=float(options["cpus"] or 0),
            restart=str(options["restart"]),
            variant=str(options["variant"]),
            wait_s=int(options["wait_s"]),
            guarded=bool(options["token_file"]),
            app=AppPlace.of(parcel, options),
            server=tuple(generation.server_options(parcel)),
        )

    def name(self, image: str) -> str:
        """Return a short name, which differs for a different container."""
        return wish_of(
            {
                "image": image,
                "memory_mb": self.memory_mb,
                "cpus": self.cpus,
                "restart": self.restart,
                "variant": self.variant,
                "guarded": self.guarded,
                **({"server": self.server} if self.server else {}),
                **(self.app.wish() if self.app else {}),
            }
        )

    def guard(self) -> list[str]:
        """Return the server's arguments for a token."""
        return ["--token-file", f"/{TOKEN}"] if self.guarded else []

    def settings(self) -> dict[str, Any]:
        """Return the container settings that are sent to the engine.

        The container has no network: it borrows the listening socket of its gate. It may write
        nowhere, and has none of the rights that engines give by default. An app has a network for
        its cameras and receivers, and a volume for its events.
        """
        found: dict[str, Any] = {
            **hardened(),
            "network_mode": "none",
            "restart_policy": {"Name": self.restart},
            "tmpfs": {"/tmp": "size=64m"},
        }
        if self.memory_mb:
            # Equal limits leave no swap.
            found["mem_limit"] = found["memswap_limit"] = f"{self.memory_mb}m"
        if self.cpus:
            found["nano_cpus"] = int(self.cpus * _CPU)
        if self.variant == "cuda":
            found["device_requests"] = [DeviceRequest(count=-1, capabilities=[["gpu"]])]
        return found


def hardened() -> dict[str, Any]:
    """Return settings without the privileges that no container of the studio needs."""
    return {
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "log_config": {"Type": "json-file", "Config": _LOG},
    }


class Containers:
    """Makes, tries and switches the releases' containers of one place."""

    def __init__(self, engine: Engine, place: EngineNames, progress: Progress) -> None:
        self._engine = engine
        self._place = place
        self._progress = progress

    def make(self, parcel: Parcel, image: str, wish: ContainerSpec) -> Container:
        """Create a container next to the serving one, without starting it."""
        name, app = wish.name(image), wish.app
        volumes = {self._place.volume: {"bind": f"/{TURNS}", "mode": "rw"}}
        if app is not None:
            volumes[self._place.app_volume] = {"bind": f"/{APP_DATA}", "mode": "rw"}
        return self._engine.create(
            image,
            self._place.container(parcel.digest, name),
            command=["serve", "--gate", f"/{TURNS}", *wish.guard(), *wish.server],
            labels={
                **self._place.release_labels(parcel, name, wish.guarded),
                **generation.labels(parcel),
            },
            volumes=volumes,
            **{**wish.settings(), **(app.settings() if app else {})},
        )

    def try_out(self, container: Container, wait_s: int) -> Mapping[str, Any]:
        """Run it until its server is ready and has answered the golden samples.

        Raises:
            TargetError: when it ends, takes too long or answers otherwise, with its last words.
        """
        self._engine.start(container)
        deadline = time.monotonic() + wait_s
        complaint = ""
        while time.monotonic() < deadline:
            self._progress.progress(0, 0, "Waiting for the new release's answers")
            state = self._engine.state(container)
            if not state.get("Running") or state.get("Restarting"):
                raise self._failed(container, _ending(state))
            status, text = self._health(container)
            if status == 0:
                return dict(parse_json(text, "The new release"))
            complaint = text.strip().splitlines()[-1] if text.strip() else ""
            # More time would not change the answers.
            if "golden samples differ" in complaint:
                break
            time.sleep(_POLL_S)
        raise self._failed(container, complaint or f"it was not ready within {wait_s} s")

    def _health(self, container: Container) -> tuple[int, str]:
        """Run the health command; an engine refuses it in a container that has just ended."""
        try:
            patience = ("--seconds", _ANSWER_S) if STOP_LABEL in container.labels else ()
            return self._engine.execute(container, *PROGRAM, "health", "--golden", *patience)
        except TargetError as error:
            return 1, error.message

    def _failed(self, container: Container, reason: str) -> TargetError:
        reason = reason.removeprefix("The server is not well: ").rstrip(".")
        return TargetError(
            f"The new release did not pass its test in the container: {reason}.",
            hint="The previous release is still running.",
            detail="\n".join(self._engine.logs(container, _LOG_LINES)),
        )

    def give_turn(self, container: Container, release: str, owner: str) -> None:
        """Switch clients to the release without refusing a request."""
        words = ("gate", "turn", release, "--folder", f"/{TURNS}", "--owner", owner)
        status, text = self._engine.execute(container, *PROGRAM, *words)
        if status:
            raise self._failed(container, text.strip().splitlines()[-1] if text else "no turn")


def _ending(state: Mapping[str, Any]) -> str:
    if not state:
        return "its container is gone"
    if state.get("OOMKilled"):
        return "it needs more memory than it may have"
    error = str(state.get("Error") or "")
    return error or f"its server ended with status {state.get('ExitCode')}"
