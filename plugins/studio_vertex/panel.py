"""The panel of Vertex AI: endpoints of a project, what a deploy costs, and what is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from studio.api import Option, TargetSpec
from studio.api.qt_platform import PlatformPanel, touched
from studio_vertex.address import parse_address
from studio_vertex.options import DEPLOY_OPTIONS, TARGET_OPTIONS

_PLACE = (
    Option("region", title="Region", help="us-central1, europe-west4 ..."),
    Option(
        "endpoint", title="Endpoint", help="Endpoint ID. The first deployment creates the endpoint."
    ),
)


class VertexPanel(PlatformPanel):
    """One endpoint of a Google Cloud project."""

    heading: ClassVar = "Vertex AI endpoint"
    place_options: ClassVar = (*TARGET_OPTIONS[:1], *_PLACE, *TARGET_OPTIONS[1:])
    deploy_options: ClassVar = DEPLOY_OPTIONS
    no_target: ClassVar = (
        "No endpoint added yet. Enter a project, a region and an endpoint. Credentials come from: "
        "gcloud auth application-default login"
    )

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        region, endpoint = values.get("region") or "", values.get("endpoint") or ""
        url = f"vertex://{region}/{endpoint}"
        parse_address(url, values)
        name = f"{endpoint}-{values['project']}-{region}".replace(":", "-")
        return TargetSpec(name, url, "", touched(TARGET_OPTIONS, values))
