"""The panel of SageMaker: endpoints of an account, what a deploy costs, and what is running."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from studio.api import TargetSpec
from studio.api.qt_platform import PlatformPanel
from studio_sagemaker.options import DEPLOY_OPTIONS
from studio_sagemaker.sheet import EndpointSheet


class EndpointPanel(PlatformPanel):
    """One endpoint of an AWS account."""

    heading: ClassVar = "SageMaker endpoint"
    place_options: ClassVar = EndpointSheet.place_options
    deploy_options: ClassVar = DEPLOY_OPTIONS
    no_target: ClassVar = (
        "No endpoint added yet. Enter a region and an endpoint. Credentials come from an AWS "
        "profile or from environment variables."
    )

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        return EndpointSheet().spec(values)
