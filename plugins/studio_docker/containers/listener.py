"""The container that keeps a place's port while releases come and go behind it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from docker.models.containers import Container

from studio.api import Progress, TargetError
from studio_docker.containers.names import GATE, EngineNames, wish_of
from studio_docker.containers.releases import hardened
from studio_docker.engine.client import Engine
from studio_docker.image.contents import TURNS
from studio_docker.image.settings import LABEL, PORT

_WAIT_S = 30.0
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Listener:
    """Address at which a target listens."""

    host: str
    port: int
    network: str

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Listener:
        """Return the listener in checked options."""
        return cls(str(options["host"]), int(options["port"]), str(options["network"]))

    @classmethod
    def read(cls, gate: Container) -> Listener:
        """Return the listener that a container's labels describe."""
        labels = gate.labels
        return cls(
            str(labels.get(f"{LABEL}.host", "127.0.0.1")),
            int(labels.get(f"{LABEL}.port", PORT)),
            str(labels.get(f"{LABEL}.network", "bridge")),
        )

    @property
    def wish(self) -> str:
        """Short; another one for another door."""
        return wish_of({"host": self.host, "port": self.port, "network": self.network})

    def labels(self) -> dict[str, str]:
        """Return the labels of the listener's container."""
        return {
            f"{LABEL}.host": self.host,
            f"{LABEL}.port": str(self.port),
            f"{LABEL}.network": self.network,
        }

    def settings(self) -> dict[str, Any]:
        """Return the engine's settings of the container, and the program's arguments."""
        command = ["hold", "--folder", f"/{TURNS}"]
        if self.network == "host":
            command += ["--host", self.host, "--port", str(self.port)]
            return {"network_mode": "host", "command": command}
        # The container's port is fixed; the engine publishes it at the chosen host and port.
        command += ["--port", str(PORT)]
        return {
            "network_mode": "bridge",
            "ports": {f"{PORT}/tcp": (self.host, self.port)},
            "command": command,
        }


class PublishedPort:
    """A port that needs no tunnel, and the token that its server wants to be shown."""

    def __init__(self, host: str, port: int, token: str = "") -> None:
        self.host = host
        self.port = port
        self.token = token

    def __enter__(self) -> PublishedPort:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close nothing, because nothing is forwarded."""


def ensure_gate(
    engine: Engine, place: EngineNames, door: Listener, found: Container | None, progress: Progress
) -> Container:
    """Return a running listener at an address; moving it refuses clients for a moment.

    Raises:
        TargetError: when the port is taken.
    """
    if found is not None and Listener.read(found) != door:
        progress.log("The port changes: clients are refused until the new one is open")
        engine.remove(found)
        found = None
    engine.make_volume(place.volume, place.labels(GATE))
    gate = found or _make(engine, place, door)
    try:
        if gate.status != "running":
            engine.start(gate)
        _wait(engine, gate)
    except TargetError:
        # Only a container that this call created is removed.
        if found is None:
            engine.remove(gate)
        raise
    return gate


def _make(engine: Engine, place: EngineNames, door: Listener) -> Container:
    return engine.create(
        place.gate_image,
        place.gate,
        labels={**place.labels(GATE), **door.labels()},
        volumes={place.volume: {"bind": f"/{TURNS}", "mode": "rw"}},
        restart_policy={"Name": "unless-stopped"},
        mem_limit="128m",
        **hardened(),
        **door.settings(),
    )


def _wait(engine: Engine, gate: Container) -> None:
    """Wait until the container listens.

    Raises:
        TargetError: when it does not, with what it said.
    """
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        state = engine.state(gate)
        if state.get("Running") and not state.get("Restarting"):
            lines = engine.logs(gate, 5)
            if lines and '"listening"' in lines[-1]:
                return
        elif (lines := engine.logs(gate, 5)) and lines[-1].startswith("Cannot listen"):
            raise TargetError(lines[-1], hint="Choose another with --set port=NUMBER.")
        time.sleep(_POLL_S)
    raise TargetError("The port listener container did not start.", detail="\n".join(lines))
