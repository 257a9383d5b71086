"""Preview of a deploy: the AWS resources by name, and their cost per hour."""

from __future__ import annotations

import json
from collections.abc import Iterator

from studio.api import Action, Preview
from studio_sagemaker.cloud import Cloud
from studio_sagemaker.desired_state import DesiredState, Json, guardrails
from studio_sagemaker.endpoint_view import Served
from studio_sagemaker.options import REALTIME, SERVERLESS
from studio_sagemaker.preflight import PreflightChecks
from studio_sagemaker.prices import cost_of
from studio_sagemaker.scaling import Alarms
from studio_sagemaker.storage import Storage

_PUSH = """# An image of the runtime in ECR: once for an account and a version of the studio.
aws ecr create-repository --repository-name edgewright --region {region}
aws ecr get-login-password --region {region} | \\
    docker login --username AWS --password-stdin {account}.dkr.ecr.{region}.amazonaws.com
studio package MODEL --image {account}.dkr.ecr.{region}.amazonaws.com/edgewright:1 --set push=yes
"""


class Previewer:
    """Compares what is wanted with what is there."""

    def __init__(self, cloud: Cloud, account: str) -> None:
        self._cloud = cloud
        self._account = account

    def preview(self, wanted: DesiredState, configuration: Json, served: Served) -> Preview:
        """Return the actions, the requests and the price."""
        place = wanted.place
        alarms = Alarms(self._cloud, place).requests(wanted.options)
        obstacles = PreflightChecks(self._cloud, place).find(wanted)
        steps = (
            []
            if any(one.state == "blocked" for one in obstacles)
            else self._steps(wanted, configuration, served, alarms)
        )
        most = int(wanted.options["max_instances"]) if wanted.mode == REALTIME else 0
        cost = cost_of(place.region, configuration["ProductionVariants"], most)
        priced = Action("cost", cost.sentence, "checked")
        return Preview(
            (*obstacles, *steps, priced),
            self._documents(wanted, configuration, served, alarms),
            cost.per_hour,
            cost.currency,
            cost.note,
        )

    def _steps(
        self, wanted: DesiredState, configuration: Json, served: Served, alarms: list[Json]
    ) -> Iterator[Action]:
        place = wanted.place
        data = wanted.model()["PrimaryContainer"]["ModelDataUrl"]
        key = place.data_key(wanted.parcel.digest)
        there = Storage(self._cloud, place).has(wanted.bucket, key)
        yield _action("model data", f"upload {data}", there)
        model, name = wanted.model()["ModelName"], configuration["EndpointConfigName"]
        yield _action("model", f"create the model {model}", self._has_model(model))
        yield _action("configuration", f"create the configuration {name}", self._has_config(name))
        if wanted.mode != SERVERLESS:
            for alarm in alarms:
                yield Action("alarm", f"create the alarm {alarm['AlarmName']}")
        so = served.answering and served.configuration == name
        verb = "update" if served.answering else "create"
        yield _action("endpoint", f"{verb} the endpoint {place.endpoint}", so)
        if (most := int(wanted.options["max_instances"])) and wanted.mode == REALTIME:
            yield Action("autoscaling", f"scale the endpoint up to {most} instances")

    def _has_model(self, name: str) -> bool:
        what = f"look at the model {name}"
        return self._cloud.find("sagemaker", "describe_model", what, ModelName=name) is not None

    def _has_config(self, name: str) -> bool:
        what = f"look at the configuration {name}"
        found = self._cloud.find(
            "sagemaker", "describe_endpoint_config", what, EndpointConfigName=name
        )
        return found is not None

    def _documents(
        self, wanted: DesiredState, configuration: Json, served: Served, alarms: list[Json]
    ) -> dict[str, str]:
        before, after = list(served.variants.values()), configuration["ProductionVariants"]
        names = [str(one["AlarmName"]) for one in alarms]
        update = {
            "EndpointName": wanted.place.endpoint,
            "EndpointConfigName": configuration["EndpointConfigName"],
        }
        if before:
            update["DeploymentConfig"] = guardrails(wanted.options, names, before, after)
        return {
            "model.json": _json(wanted.model()),
            "endpoint-config.json": _json(configuration),
            "endpoint.json": _json(update),
            "image.sh": _PUSH.format(region=wanted.place.region, account=self._account),
        }


def _action(name: str, text: str, there: bool) -> Action:
    return Action(name, text, "skipped" if there else "planned")


def _json(value: Json) -> str:
    return json.dumps(value, indent=2) + "\n"
