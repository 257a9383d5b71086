"""Connection to an engine: from a target's URL to a client that has answered."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import DockerException
from docker.utils import kwargs_from_env

from studio.api import TargetError, Unavailable, UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,40}")
_DOCKER = "/var/run/docker.sock"
_PODMAN = "/run/podman/podman.sock"
_TIMEOUT_S = 120
_KNOCK_S = 5.0
_INSTALL = (
    "Install Docker (apt install docker.io) or Podman (systemctl --user start podman.socket), or "
    "name another with engine=unix:///PATH; without one, studio package --image still writes the "
    "image into a file."
)


@dataclass(frozen=True, slots=True)
class Address:
    """Engine of a target, and the name that labels its resources.

    Attributes:
        engine: ``unix:///path``, ``tcp://host:port`` or ``ssh://user@host``.
    """

    engine: str
    name: str

    @property
    def is_local(self) -> bool:
        """Whether the engine runs on this computer."""
        return self.engine.startswith("unix:")

    @property
    def host(self) -> str:
        """The machine whose ports it publishes."""
        if self.is_local:
            return "127.0.0.1"
        return self.engine.partition("://")[2].rpartition("@")[2].partition(":")[0]


def address_of(
    url: str, settings: Mapping[str, str], environment: Mapping[str, str] = os.environ
) -> Address:
    """Return engine and name in ``docker:NAME`` or ``docker+unix:///path/to.sock/NAME``.

    Raises:
        UsageError: when the URL is neither.
    """
    scheme, _, rest = url.partition(":")
    engine, name = settings.get("engine") or "", rest.strip("/")
    if scheme == "docker+unix":
        path, _, name = rest.removeprefix("//").rstrip("/").rpartition("/")
        engine = f"unix://{path}"
        if not path.startswith("/"):
            raise UsageError(
                f"{url} names no socket.", hint="Write docker+unix:///PATH/TO/SOCKET/NAME."
            )
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{url} has no usable name: small letters, digits, dots and dashes.",
            hint="Write docker:NAME, for instance docker:digits.",
        )
    return Address(engine or default_engine(environment), name)


def default_engine(environment: Mapping[str, str] = os.environ) -> str:
    """Return DOCKER_HOST, else the first existing socket, else Docker's."""
    if environment.get("DOCKER_HOST"):
        return environment["DOCKER_HOST"]
    # The socket of this user's rootless Podman.
    own = f"{environment.get('XDG_RUNTIME_DIR') or f'/run/user/{os.getuid()}'}/podman/podman.sock"
    for path in (_DOCKER, own, _PODMAN):
        if Path(path).exists():
            return f"unix://{path}"
    return f"unix://{_DOCKER}"


def connect(engine: str) -> docker.DockerClient:
    """Return a client of an engine that answers.

    Raises:
        Unavailable: when there is no engine.
        TargetError: when it may not be used.
    """
    _knock(engine)
    try:
        client = docker.DockerClient(timeout=_TIMEOUT_S, **_ways(engine))
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        raise _silent(engine, str(error)) from None
    try:
        client.ping()
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        client.close()
        raise _silent(engine, str(error)) from None
    return client


def _knock(engine: str) -> None:
    """Check that the socket can be opened, because the library's own error gives less detail."""
    if not engine.startswith("unix:"):
        return
    path = engine.removeprefix("unix://")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_KNOCK_S)
        try:
            probe.connect(path)
        except FileNotFoundError:
            raise Unavailable(f"No container engine at {path}.", hint=_INSTALL) from None
        except PermissionError:
            raise TargetError(
                f"No permission to use the container engine at {path}.",
                hint="Join its group (sudo usermod -aG docker $USER) and log in again, or use "
                "Podman's socket of your own.",
            ) from None
        except OSError as error:
            raise _silent(engine, str(error)) from None


def _ways(engine: str) -> dict[str, Any]:
    """Return the connection arguments; the user's certificates belong to the user's DOCKER_HOST."""
    if engine == os.environ.get("DOCKER_HOST"):
        return dict(kwargs_from_env())
    return {"base_url": engine}


def _silent(engine: str, text: str) -> Unavailable:
    return Unavailable(
        f"The container engine at {engine.removeprefix('unix://')} does not answer.",
        hint="Check that it is running: docker info",
        detail=text,
    )
