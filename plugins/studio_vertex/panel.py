"""The panel of Vertex AI: endpoints of a project, what a deploy costs, and what is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from studio.api import TargetSpec
from studio.api.qt_platform import PlatformPanel
from studio_vertex.sheet import VertexSheet


class VertexPanel(PlatformPanel):
    """One endpoint of a Google Cloud project."""

    heading: ClassVar = "Vertex AI endpoint"
    place_options: ClassVar = VertexSheet.place_options
    deploy_options: ClassVar = VertexSheet.deploy_options
    no_target: ClassVar = (
        "No endpoint added yet. Enter a project, a region and an endpoint. Credentials come from: "
        "gcloud auth application-default login"
    )

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        return VertexSheet().spec(values)
