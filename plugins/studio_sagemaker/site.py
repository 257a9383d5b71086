"""One SageMaker endpoint: the studio's verbs in AWS's terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studio.api import (
    Deployed,
    Identity,
    Measurement,
    Parcel,
    PlatformRelease,
    Preview,
    Progress,
    Refused,
    Resource,
    TargetError,
    Tunnel,
)
from studio_sagemaker.async_invocation import AsyncInvocations, invoke
from studio_sagemaker.cloud import Cloud
from studio_sagemaker.cloudwatch import Logs, measure
from studio_sagemaker.desired_state import DesiredState, Json, configuration
from studio_sagemaker.endpoint import Endpoint
from studio_sagemaker.endpoint_update import EndpointUpdate
from studio_sagemaker.endpoint_view import Served, poll
from studio_sagemaker.inventory import Inventory
from studio_sagemaker.names import CANARY, MAIN_VARIANT, RELEASE, EndpointNames
from studio_sagemaker.preflight import PreflightChecks, default_bucket, desired, refuse_blocked
from studio_sagemaker.preview import Previewer
from studio_sagemaker.record import Record, ReleaseEntry, choose
from studio_sagemaker.storage import split_url


class SageMakerSite:
    """An open session with one endpoint.

    Args:
        identity: As whom AWS knows the user; its facts have the account.
        settings: Of the target, checked.
    """

    def __init__(
        self, cloud: Cloud, place: EndpointNames, identity: Identity, settings: Mapping[str, Any]
    ) -> None:
        self._cloud = cloud
        self._place = place
        self._identity = identity
        self._account = str(identity.facts["account"])
        limit = float(settings["time_limit_s"])
        self._endpoint = Endpoint(cloud, place, float(settings["poll_s"]), limit)
        self._record = Record(cloud, place)
        buckets = (str(settings.get("bucket") or default_bucket(place, self._account)),)
        self._inventory = Inventory(cloud, place, self._endpoint, buckets)
        self._changing = EndpointUpdate(cloud, place, self._endpoint, self._record, self._inventory)

    def identity(self) -> Identity:
        return self._identity

    def preview(self, parcel: Parcel, options: Mapping[str, Any]) -> Preview:
        wanted = desired(self._place, self._account, parcel, options)
        served = poll(self._endpoint)
        self._endpoint.refuse_strangers()
        asked = self._configuration(wanted, served)
        return Previewer(self._cloud, self._account).preview(wanted, asked, served)

    def deploy(self, parcel: Parcel, options: Mapping[str, Any], progress: Progress) -> Deployed:
        wanted = desired(self._place, self._account, parcel, options)
        progress.progress(0, 0, f"Reading the state of {self._place.endpoint}")
        refuse_blocked(PreflightChecks(self._cloud, self._place).find(wanted))
        self._endpoint.refuse_strangers()
        self._endpoint.settled(progress)  # a deploy that was interrupted is still under way
        served = poll(self._endpoint)
        asked = self._configuration(wanted, served)
        sent = self._changing.prepare(wanted, asked, progress)
        changed = self._changing.change(wanted, asked, served, progress)
        canary = int(options.get("canary") or 0)
        state = "canary" if canary else "serving"
        if not changed and not canary:
            state = "unchanged"
        return self._deployed(parcel.digest, state, sent, model=wanted.model()["ModelName"])

    def promote(self, progress: Progress) -> Deployed:
        served = self._settled(progress)
        if not served.canary:
            raise TargetError(f"No canary is served at {self._place.endpoint}.")
        entry = self._entry(served.canary)
        tags = {**self._tags_of(served.configuration)}
        tags.pop(CANARY, None)
        variant = {
            **served.variants["canary"],
            "VariantName": MAIN_VARIANT,
            "InitialVariantWeight": 100.0,
        }
        asked = configuration(self._place, [variant], "", tags)
        self._changing.switch(asked, tags, served, entry, progress)
        return self._deployed(entry.release, "serving", 0)

    def rollback(self, to: str | None, progress: Progress) -> Deployed:
        served = self._settled(progress)
        if served.canary and to is None:
            entry, withdrawn = self._entry(served.main), self._entry(served.canary)
        else:
            entry, withdrawn = choose(self._record.entries(), served.main, to), None
        found = self._record.configuration_of(entry.release)
        if found is None:
            raise TargetError(f"The configuration of version {entry.version} is no longer at AWS.")
        asked = {"EndpointConfigName": found.name}
        self._changing.switch(asked, found.tags, served, entry, progress)
        if withdrawn:
            self._record.note(withdrawn.arn, state="withdrawn", reason="the canary was taken back")
        return self._deployed(entry.release, "serving", 0)

    def releases(self) -> Sequence[PlatformRelease]:
        served = poll(self._endpoint)
        return [_release(entry, served) for entry in self._record.entries()]

    def reach(self) -> Tunnel | None:
        return None

    def infer(self, request: bytes, head_length: int) -> tuple[bytes, int]:
        found = self._endpoint.describe()
        if found is None:
            raise TargetError(f"There is no endpoint {self._place.endpoint}.")
        output = found.get("AsyncInferenceConfig", {}).get("OutputConfig", {}).get("S3OutputPath")
        if output:
            questions = AsyncInvocations(self._cloud, self._place)
            return questions.invoke(split_url(output)[0], request, head_length)
        return invoke(self._cloud, self._place, request, head_length)

    def measure(self) -> Measurement | None:
        served = poll(self._endpoint)
        ready = served.answering
        return measure(self._cloud, self._place, MAIN_VARIANT, ready, served.main)

    def logs(self, lines: int) -> Iterator[str]:
        return Logs(self._cloud, self._place).lines(MAIN_VARIANT, lines)

    def remove(self, purge: bool, progress: Progress) -> Sequence[Resource]:
        self._inventory.stop(progress)
        if purge:
            self._inventory.purge(progress)
        return self.resources()

    def resources(self) -> Sequence[Resource]:
        return self._inventory.resources()

    def close(self) -> None:
        self._cloud.close()

    def _configuration(self, wanted: DesiredState, served: Served) -> Json:
        """Return the configuration that a deploy sets.

        Raises:
            Refused: for a canary without a stable release.
        """
        percent = int(wanted.options.get("canary") or 0)
        if not percent:
            return wanted.configuration()
        main = served.variants.get(MAIN_VARIANT)
        if main is None or not served.main or served.main == wanted.parcel.digest:
            raise Refused(
                "A canary needs another release beside it, and none serves here.",
                hint="Deploy it without --canary.",
            )
        return wanted.canary(main, percent)

    def _settled(self, progress: Progress) -> Served:
        self._endpoint.refuse_strangers()
        self._endpoint.settled(progress)
        return poll(self._endpoint)

    def _entry(self, release: str) -> ReleaseEntry:
        for entry in self._record.entries():
            if entry.release == release:
                return entry
        raise TargetError(f"The model that {self._place.endpoint} serves is not the studio's.")

    def _tags_of(self, name: str) -> dict[str, str]:
        found = [one for one in self._record.configurations() if one.name == name]
        return found[0].tags if found else {RELEASE: ""}

    def _deployed(self, release: str, state: str, sent: int, **facts: Any) -> Deployed:
        region, name = self._place.region, self._place.endpoint
        url = f"https://runtime.sagemaker.{region}.amazonaws.com/endpoints/{name}/invocations"
        return Deployed(release, state, url, sent, facts)


def _release(entry: ReleaseEntry, served: Served) -> PlatformRelease:
    state, traffic = "replaced", 0
    if entry.release == served.main:
        state, traffic = "serving", 100 - served.percent
    elif entry.release == served.canary:
        state, traffic = "canary", served.percent
    elif entry.state in ("starting", "failed"):
        state = entry.state
    return PlatformRelease(
        entry.release,
        entry.model,
        entry.version,
        state,
        traffic,
        entry.at,
        entry.owner,
        entry.reason,
    )
