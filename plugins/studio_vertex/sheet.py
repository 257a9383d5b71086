"""The sheet of Vertex AI: which endpoint of a project, and how it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from studio.api import Option, TargetSpec
from studio.api.sheets import DeploySheet, touched
from studio_vertex.address import parse_address
from studio_vertex.options import DEPLOY_OPTIONS, TARGET_OPTIONS

_PLACE = (
    Option("region", title="Region", required=True, help="us-central1, europe-west4 ..."),
    Option(
        "endpoint",
        title="Endpoint",
        required=True,
        help="Endpoint ID. The first deployment creates the endpoint.",
    ),
)


class VertexSheet(DeploySheet):
    """One endpoint of a Google Cloud project."""

    place_options: ClassVar = (*TARGET_OPTIONS[:1], *_PLACE, *TARGET_OPTIONS[1:])
    deploy_options: ClassVar = DEPLOY_OPTIONS

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        """The endpoint of the project and region.

        Raises:
            UsageError: when there can be no such endpoint.
        """
        region, endpoint = values.get("region") or "", values.get("endpoint") or ""
        url = f"vertex://{region}/{endpoint}"
        parse_address(url, values)
        name = f"{endpoint}-{values['project']}-{region}".replace(":", "-")
        return TargetSpec(name, url, "", touched(TARGET_OPTIONS, values))
