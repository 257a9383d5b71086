"""The panel of Azure ML: endpoints of a workspace, what a deploy costs, and what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from studio.api import TargetSpec, UsageError
from studio.api.qt_platform import PlatformPanel
from studio_azureml.sheet import AzureMlSheet


class AzureMlPanel(PlatformPanel):
    """One managed online endpoint of a workspace."""

    heading: ClassVar = "Azure Machine Learning endpoint"
    place_options: ClassVar = AzureMlSheet.place_options
    deploy_options: ClassVar = AzureMlSheet.deploy_options
    no_target: ClassVar = (
        "No endpoint added yet. Enter a subscription, a resource group, a workspace and an "
        "endpoint. Credentials come from: az login"
    )
    columns: ClassVar = 2

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        spec = AzureMlSheet().spec(values)
        subscription = spec.settings.get("subscription")
        known = {one.name: one.settings.get("subscription") for one in self.host.targets()}
        if known.get(spec.name, subscription) != subscription:
            text = f"{spec.name} is an endpoint of another subscription."
            raise UsageError(text, hint="Remove that target, or use: studio target add")
        return spec
