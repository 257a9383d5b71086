"""The steps that change an endpoint; each may be repeated, for names tell what they stand for."""

from __future__ import annotations

from collections.abc import Mapping

from studio.api import Cancelled, Progress, TargetError
from studio_sagemaker.cloud import Cloud
from studio_sagemaker.desired_state import DesiredState, Json, guardrails
from studio_sagemaker.endpoint import Endpoint
from studio_sagemaker.endpoint_view import Served, poll
from studio_sagemaker.inventory import Inventory
from studio_sagemaker.names import AT, MAIN_VARIANT, EndpointNames, as_tags
from studio_sagemaker.options import SERVERLESS
from studio_sagemaker.record import KEPT, Record, ReleaseEntry, now
from studio_sagemaker.scaling import Alarms, Scaling
from studio_sagemaker.storage import Storage


class EndpointUpdate:
    """Makes what is wanted out of what is there."""

    def __init__(
        self,
        cloud: Cloud,
        place: EndpointNames,
        endpoint: Endpoint,
        record: Record,
        inventory: Inventory,
    ) -> None:
        self._cloud = cloud
        self._place = place
        self._endpoint = endpoint
        self._record = record
        self._inventory = inventory
        self._scaling = Scaling(cloud, place)

    def prepare(self, wanted: DesiredState, asked: Json, progress: Progress) -> int:
        """Create archive, model and configuration, which cost nothing while unused.

        Returns:
            Bytes that were sent.
        """
        sent = Storage(self._cloud, self._place).upload(wanted.parcel, wanted.bucket, progress)
        model = wanted.model()
        self._make("model", "ModelName", model, {AT: now()})
        self._make("endpoint_config", "EndpointConfigName", asked, {AT: now()})
        return sent

    def change(self, wanted: DesiredState, asked: Json, served: Served, progress: Progress) -> bool:
        """Switch the endpoint to the desired state.

        Returns:
            Whether anything was changed.
        """
        name = asked["EndpointConfigName"]
        arn = self._arn(wanted)
        if served.status == "InService" and served.configuration == name:
            weighed = self._weigh(asked, served, progress)
            return self._finish(wanted, asked, arn) or weighed
        self._record.note(arn, state="starting", reason="", at=now())
        alarms = Alarms(self._cloud, self._place)
        names = [] if wanted.mode == SERVERLESS else alarms.put(wanted.options, wanted.parcel.owner)
        before, after = list(served.variants.values()), asked["ProductionVariants"]
        rules = guardrails(wanted.options, names, before, after)
        try:
            self._serve(asked, rules, served, wanted.tags(), progress)
        except Cancelled:
            raise  # AWS continues, and the next deploy resumes
        except TargetError as error:
            self._note_failure(arn, error)
            raise
        self._finish(wanted, asked, arn)
        return True

    def _finish(self, wanted: DesiredState, asked: Json, arn: str) -> bool:
        """Finish a change after AWS is done, unless an earlier deploy has done it."""
        release = wanted.parcel.digest
        noted = next((one for one in self._record.entries() if one.release == release), None)
        if noted is not None and noted.state == "deployed":
            return False
        self._scale_as(asked, _tags(asked))
        self._record.note(arn, state="deployed", reason="")
        self._forget()
        return True

    def switch(
        self,
        asked: Json,
        tags: Mapping[str, str],
        served: Served,
        entry: ReleaseEntry,
        progress: Progress,
    ) -> None:
        """Switch to a release that has served earlier, by its configuration."""
        if "ProductionVariants" in asked:
            self._make("endpoint_config", "EndpointConfigName", asked, {AT: now()})
        self._serve(asked, {}, served, {**tags}, progress)
        self._scale_as(asked, tags)
        self._record.note(entry.arn, state="deployed", reason="")

    def _serve(
        self, asked: Json, rules: Json, served: Served, tags: Mapping[str, str], progress: Progress
    ) -> None:
        name = asked["EndpointConfigName"]
        if served.status in ("Failed", "OutOfService"):
            self._endpoint.delete(progress)  # AWS updates none that has failed
        if served.status in ("", "Failed", "OutOfService"):
            self._endpoint.create(name, as_tags(tags), progress)
            return
        if served.status == "UpdateRollbackFailed":
            raise TargetError(
                f"AWS could neither update {self._place.endpoint} nor take it back.",
                hint="Remove it (studio undeploy), and deploy again.",
            )
        if served.configuration == name:
            return
        after = self._endpoint.variants(name)
        self._free(after, served)
        single = len(after) == len(served.variants) == 1
        scaled = single and self._scaling.find() is not None
        self._endpoint.update(name, rules, scaled, progress)

    def _free(self, after: list[Json], served: Served) -> None:
        """Remove the scaling for a new instance type, which a scaled variant cannot get."""
        kinds = {one["VariantName"]: one.get("InstanceType") for one in after}
        before = served.variants.get(MAIN_VARIANT, {}).get("InstanceType")
        if kinds.get(MAIN_VARIANT) != before:
            self._scaling.remove()

    def _scale_as(self, asked: Json, tags: Mapping[str, str]) -> None:
        variants = self._endpoint.variants(asked["EndpointConfigName"])
        main = next((one for one in variants if one["VariantName"] == MAIN_VARIANT), {})
        if len(variants) == 1:  # with a canary it stays as it was
            self._scaling.apply(tags, int(main.get("InitialInstanceCount") or 1))

    def _weigh(self, asked: Json, served: Served, progress: Progress) -> bool:
        """Set the weights of the same configuration; return whether they changed."""
        weights = {
            str(one["VariantName"]): float(one["InitialVariantWeight"])
            for one in asked["ProductionVariants"]
        }
        if len(weights) == 1 or weights.get("canary") == served.percent:
            return False
        self._endpoint.weigh(weights, progress)
        return True

    def _make(self, kind: str, key: str, request: Json, tags: Mapping[str, str]) -> None:
        """Create a resource whose name depends on its content, unless it exists."""
        name = request[key]
        what = f"look at {name}"
        if self._cloud.find("sagemaker", f"describe_{kind}", what, **{key: name}) is None:
            full = {**request, "Tags": [*request["Tags"], *as_tags(tags)]}
            self._cloud.call("sagemaker", f"create_{kind}", f"create {name}", **full)

    def _arn(self, wanted: DesiredState) -> str:
        name = wanted.model()["ModelName"]
        what = f"look at the model {name}"
        found = self._cloud.call("sagemaker", "describe_model", what, ModelName=name)
        return str(found["ModelArn"])

    def _note_failure(self, arn: str, error: TargetError) -> None:
        try:
            self._record.note(arn, state="failed", reason=error.message)
        except TargetError:
            return  # the failure itself is what the user must hear of

    def _forget(self) -> None:
        """Delete releases beyond the number to keep, but never one that serves."""
        serving = poll(self._endpoint)
        for entry in self._record.entries()[KEPT:]:
            if entry.release not in (serving.main, serving.canary):
                self._inventory.drop_release(entry)


def _tags(request: Json) -> dict[str, str]:
    return {str(tag["Key"]): str(tag["Value"]) for tag in request["Tags"]}
