"""Container engines as targets: Docker's, and Podman's, which speaks the same API."""

from __future__ import annotations

from collections.abc import Sequence

from studio.api import Option, Progress, TargetSpec
from studio_docker.engine.client import Engine
from studio_docker.engine.connection import address_of, connect
from studio_docker.image.spec import IMAGE_OPTIONS
from studio_docker.options import CONTAINER_OPTIONS, ENGINE_OPTIONS
from studio_docker.site import DockerSite


class DockerPlatform:
    """Engines on this computer, or elsewhere by a socket of theirs."""

    id = "docker"
    title = "Container engine"
    schemes: tuple[str, ...] = ("docker", "docker+unix")
    options: Sequence[Option] = ENGINE_OPTIONS
    deploy_options: Sequence[Option] = (*CONTAINER_OPTIONS, *IMAGE_OPTIONS)

    def open(self, target: TargetSpec, progress: Progress) -> DockerSite:
        """Open a session.

        Raises:
            UsageError: when the URL names no engine or no place.
            Unavailable: when there is no engine.
            TargetError: when it may not be used.
        """
        address = address_of(target.url, target.settings)
        progress.log(f"Connecting to the engine at {address.engine}")
        return DockerSite(Engine(connect(address.engine), address.engine), address)
