"""Endpoints of Vertex AI as targets, opened with the credentials that Google's library finds."""

from __future__ import annotations

from collections.abc import Sequence

from studio.api import Identity, Option, Progress, TargetSpec, validate
from studio_vertex.address import parse_address
from studio_vertex.cloud import Cloud
from studio_vertex.options import DEPLOY_OPTIONS, TARGET_OPTIONS
from studio_vertex.site import VertexSite


class VertexPlatform:
    """Serves bundles at endpoints of a project."""

    id = "vertex"
    title = "Google Vertex AI"
    schemes: tuple[str, ...] = ("vertex",)
    options: Sequence[Option] = TARGET_OPTIONS
    deploy_options: Sequence[Option] = DEPLOY_OPTIONS

    def open(self, target: TargetSpec, progress: Progress) -> VertexSite:
        names = {option.name for option in self.options}
        given = {key: text for key, text in target.settings.items() if key in names}
        values = validate(self.options, given)
        address = parse_address(target.url, values)
        progress.log(f"Asking Vertex AI in {address.region}")
        cloud = Cloud(address, float(values["poll_s"]))
        try:
            path = f"v1/{address.parent}/endpoints"
            cloud.get(
                path, f"Opening project {address.project} in {address.region}", {"pageSize": 1}
            )
        except BaseException:
            cloud.close()
            raise
        return VertexSite(cloud, _identity(cloud))


def _identity(cloud: Cloud) -> Identity:
    """Return the login's identity; credentials of a person contain no name."""
    found = cloud.credentials
    who = getattr(found, "service_account_email", "") or getattr(found, "account", "")
    address = cloud.address
    kind = type(found).__name__
    facts = {"project": address.project, "region": address.region, "credentials": kind}
    where = f"project {address.project}, {address.region}"
    return Identity(
        str(who or "the user of gcloud's application default credentials"), where, facts
    )
