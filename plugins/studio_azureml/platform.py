"""Managed online endpoints as targets, opened with the credentials that Azure's library finds."""

from __future__ import annotations

from collections.abc import Sequence

from studio.api import Identity, Option, Progress, TargetSpec, validate
from studio_azureml.address import parse_address
from studio_azureml.cloud import Cloud
from studio_azureml.options import DEPLOY_OPTIONS, TARGET_OPTIONS
from studio_azureml.site import AzureMlSite


class AzureMlPlatform:
    """Serves bundles at endpoints of a workspace."""

    id = "azureml"
    title = "Azure Machine Learning"
    schemes: tuple[str, ...] = ("azureml",)
    options: Sequence[Option] = TARGET_OPTIONS
    deploy_options: Sequence[Option] = DEPLOY_OPTIONS

    def open(self, target: TargetSpec, progress: Progress) -> AzureMlSite:
        names = {option.name for option in self.options}
        given = {key: text for key, text in target.settings.items() if key in names}
        values = validate(self.options, given)
        address = parse_address(target.url, values)
        progress.log(f"Asking for the workspace {address.workspace}")
        cloud = Cloud(address, float(values["poll_s"]))
        try:
            what = f"Opening the workspace {address.workspace}"
            location = str(cloud.call("GET", address.parent, what)["location"])
            who = cloud.who()
        except BaseException:
            cloud.close()
            raise
        facts = {"subscription": address.subscription, "location": location}
        where = f"workspace {address.workspace}, group {address.group}, {location}"
        return AzureMlSite(cloud, Identity(who, where, facts))
