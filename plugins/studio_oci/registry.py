"""OCI registries as registries of models, opened at an address."""

from __future__ import annotations

import os

from studio.api import Kind, Option, Progress
from studio_oci.address import RegistryPlace
from studio_oci.client import OciClient
from studio_oci.session import OciSession
from studio_oci.transport.channel import Channel
from studio_oci.transport.logins import Logins


class OciRegistry:
    """Any registry that speaks OCI's distribution specification."""

    id = "oci"
    title = "OCI registry"
    schemes = ("oci", "oci+http", "oci+https")
    options = (
        Option(
            "modelcar",
            Kind.FLAG,
            default=False,
            title="Image with /models",
            help="Also push an image with the bundle in /models, for KServe and image volumes.",
        ),
        Option(
            "base",
            default="",
            title="Base of the image",
            help="Image below /models, as REPOSITORY@sha256:... of the same registry. KServe's "
            "modelcars need a shell in it; image volumes need none.",
        ),
        Option(
            "sbom",
            Kind.FILE,
            title="Bill of materials",
            help="CycloneDX or SPDX file to attach (default: one made from the bundle).",
        ),
    )

    def open(self, address: str, progress: Progress) -> OciSession:
        """Read the logins; the session's first call contacts the registry."""
        place = RegistryPlace.of(address)
        channel = Channel(place, Logins(os.environ))
        return OciSession(place, OciClient(channel))
