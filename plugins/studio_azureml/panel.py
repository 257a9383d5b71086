"""The panel of Azure ML: endpoints of a workspace, what a deploy costs, and what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from studio.api import TargetSpec, UsageError, validate
from studio.api.qt_platform import PlatformPanel, touched
from studio_azureml.address import parse_address, target_name
from studio_azureml.options import DEPLOY_OPTIONS, PLACE_OPTIONS, TARGET_OPTIONS


class AzureMlPanel(PlatformPanel):
    """One managed online endpoint of a workspace."""

    heading: ClassVar = "Azure Machine Learning endpoint"
    place_options: ClassVar = (*TARGET_OPTIONS[:2], *PLACE_OPTIONS, *TARGET_OPTIONS[2:])
    deploy_options: ClassVar = DEPLOY_OPTIONS
    no_target: ClassVar = (
        "No endpoint added yet. Enter a subscription, a resource group, a workspace and an "
        "endpoint. Credentials come from: az login"
    )
    columns: ClassVar = 2

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        settings = touched(TARGET_OPTIONS, values)
        url = f"azureml://{values.get('workspace') or ''}/{values.get('endpoint') or ''}"
        address = parse_address(url, validate(TARGET_OPTIONS, settings))
        name = target_name(address)
        known = {one.name: one.settings.get("subscription") for one in self.host.targets()}
        if known.get(name, address.subscription) != address.subscription:
            text = f"{name} is an endpoint of another subscription."
            raise UsageError(text, hint="Remove that target, or use: studio target add")
        return TargetSpec(name, url, "", settings)
