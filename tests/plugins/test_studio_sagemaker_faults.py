"""What AWS refuses, takes minutes for, takes back or forgets; and what is never sent."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import (
    Cancelled,
    Parcel,
    Refused,
    Silent,
    TargetError,
    Unavailable,
    UsageError,
)
from studio.api.testing import Recorder
from studio_sagemaker.address import parse_address
from studio_sagemaker.prices import cost_of
from studio_sagemaker.site import SageMakerSite
from studio_sagemaker.storage import write_archive
from tests.rigs.kubernetes.parcels import request
from tests.rigs.sagemaker.aws import IMAGE, FakeAws
from tests.rigs.sagemaker.sites import NAME, open_site, options
from tests.rigs.sagemaker.sites import aws as aws
from tests.rigs.sagemaker.sites import parcels as parcels
from tests.rigs.sagemaker.sites import site as site

pytestmark = pytest.mark.slow

Parcels = tuple[Parcel, Parcel]


@pytest.mark.parametrize("name", ["under_score", "-dash", "a" * 53, "dash-", ""])
def test_a_name_that_aws_forbids(name: str) -> None:
    with pytest.raises(UsageError, match="does not allow the name"):
        parse_address(f"sagemaker://eu-central-1/{name}")


def test_the_archive_is_the_same_for_the_same_bundle(tmp_path: Path, parcels: Parcels) -> None:
    files = [tmp_path / "1", tmp_path / "2"]
    for file in files:
        write_archive(parcels[0].bundle, file, Silent())
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_price_that_is_not_known_is_not_guessed() -> None:
    variant = {"InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 2}
    assert cost_of("us-east-1", [variant]).per_hour == pytest.approx(2.816)
    unknown = cost_of("ap-south-2", [variant])
    assert unknown.per_hour is None
    assert "not known" in unknown.note


def test_a_preview_names_everything_and_its_price(site: SageMakerSite, parcels: Parcels) -> None:
    preview = site.preview(parcels[0], options())
    names = [action.name for action in preview.actions]
    assert names == ["model data", "model", "configuration", "alarm", "endpoint", "cost"]
    assert preview.cost_per_hour == pytest.approx(0.102)
    assert "as of 2025-10" in preview.cost_note
    assert NAME in preview.documents["endpoint.json"]
    assert "get-login-password" in preview.documents["image.sh"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"image": ""}, "needs an image in ECR"),
        ({"image": "digits:1"}, "from ECR"),
        ({"image": IMAGE.replace(":1", ":2")}, "ECR has no image"),
        ({"image": IMAGE.replace("us-east-1", "eu-west-1")}, "lies in eu-west-1"),
        ({"role": "admin"}, "not the ARN of a role"),
        ({"bucket": "no-such-bucket"}, "no bucket no-such-bucket"),
        ({"instance_type": "large"}, "not an instance type"),
        ({"mode": "serverless", "max_instances": 3}, "Autoscaling needs real-time inference"),
    ],
)
def test_what_stands_in_the_way(
    site: SageMakerSite, aws: FakeAws, parcels: Parcels, given: dict[str, Any], sentence: str
) -> None:
    texts = [
        one.text
        for one in site.preview(parcels[0], options(**given)).actions
        if one.state == "blocked"
    ]
    assert sentence in texts[0]
    with pytest.raises(Refused, match=sentence):
        site.deploy(parcels[0], options(**given), Silent())
    assert not [call for call in aws.calls if call.startswith("Create")]


@pytest.mark.parametrize(
    ("code", "message", "sentence"),
    [
        ("ExpiredTokenException", "", "have expired"),
        ("ResourceLimitExceeded", "0 instances of ml.c6i.large", "quota does not allow"),
        (
            "AccessDeniedException",
            "not authorized to perform: sagemaker:CreateEndpoint on x",
            "the right sagemaker:CreateEndpoint is missing",
        ),
    ],
)
def test_refusals_are_sentences(
    site: SageMakerSite, aws: FakeAws, parcels: Parcels, code: str, message: str, sentence: str
) -> None:
    aws.refuse("CreateEndpoint", code, message)
    with pytest.raises(TargetError, match=sentence):
        site.deploy(parcels[0], options(), Silent())
    assert site.releases()[0].state == "failed"
    kinds = {one.kind for one in site.resources()}
    assert {"model", "endpoint configuration", "object", "alarm"} <= kinds, "all is listed"
    assert not site.remove(True, Silent())


def test_throttling_is_tried_again(site: SageMakerSite, aws: FakeAws, parcels: Parcels) -> None:
    aws.refuse("DescribeEndpoint", "ThrottlingException", "Rate exceeded", times=2)
    assert site.preview(parcels[0], options()).actions


def test_no_credentials(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(Unavailable, match="no AWS credentials"):
        open_site()
    with pytest.raises(Unavailable, match="no profile 'nobody'"):
        open_site(profile="nobody")


def test_an_endpoint_of_somebody_else(site: SageMakerSite, aws: FakeAws, parcels: Parcels) -> None:
    client = aws.client("sagemaker")
    client.create_model(ModelName="theirs", ExecutionRoleArn=options()["role"])
    client.create_endpoint_config(
        EndpointConfigName="theirs",
        ProductionVariants=[
            {
                "VariantName": "v",
                "ModelName": "theirs",
                "InstanceType": "ml.c5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    client.create_endpoint(EndpointName=NAME, EndpointConfigName="theirs", Tags=[])
    arn = client.describe_endpoint(EndpointName=NAME)["EndpointArn"]
    aws.endpoints.create({"EndpointName": NAME, "EndpointConfigName": "theirs"}, arn)
    aws.endpoints.known[NAME].status = "InService"
    for act in (
        lambda: site.deploy(parcels[0], options(), Silent()),
        lambda: site.remove(True, Silent()),
    ):
        with pytest.raises(TargetError, match="not made by the studio"):
            act()


def test_failed_then_deployed(site: SageMakerSite, aws: FakeAws, parcels: Parcels) -> None:
    aws.endpoints.fail_with = "Unable to provision the requested instances: no capacity"
    with pytest.raises(TargetError, match="is Failed: Unable to provision"):
        site.deploy(parcels[0], options(), Silent())
    assert "no capacity" in site.releases()[0].reason
    assert site.deploy(parcels[0], options(), Silent()).state == "serving"


def test_an_update_that_an_alarm_takes_back(
    site: SageMakerSite, aws: FakeAws, parcels: Parcels
) -> None:
    site.deploy(parcels[0], options(), Silent())
    aws.endpoints.take_back_with = "Alarm edgewright-cnn-errors is in ALARM"
    with pytest.raises(TargetError, match="took the release back: Alarm"):
        site.deploy(parcels[1], options(shift="canary"), Silent())
    states = {one.version: one.state for one in site.releases()}
    assert states == {1: "serving", 2: "failed"}
    rules = aws.endpoints.updates[0]["DeploymentConfig"]
    assert rules["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] == "CANARY"
    assert rules["AutoRollbackConfiguration"]["Alarms"]


class _ClosedStudio(Recorder):
    """The studio is closed while AWS works."""

    def progress(self, done: float, total: float, text: str = "") -> None:
        if "Creating" in text:
            raise Cancelled
        super().progress(done, total, text)


def test_the_studio_closed_in_the_middle(
    site: SageMakerSite, aws: FakeAws, parcels: Parcels
) -> None:
    aws.endpoints.polls = 20
    with pytest.raises(Cancelled):
        site.deploy(parcels[0], options(max_instances=3), _ClosedStudio())
    assert [one for one in site.resources() if one.running], "what AWS works at is listed"
    assert site.releases()[0].state == "starting"
    later = open_site()
    assert later.deploy(parcels[0], options(max_instances=3), Silent()).state == "serving"
    assert aws.calls.count("CreateEndpoint") == 1
    assert later.releases()[0].state == "serving"
    assert "scalable target" in {one.kind for one in later.resources()}
    assert later._record.entries()[0].state == "deployed"
    aws.endpoints.polls = 2
    later.deploy(parcels[1], options(max_instances=3), Silent())
    assert aws.endpoints.updates[-1]["RetainAllVariantProperties"], "as scaled by now"
    # a scaled variant keeps its instance type: the target is taken away for the change
    wanted = options(max_instances=3, instance_type="ml.m5.large")
    assert later.deploy(parcels[0], wanted, Silent()).state == "serving"
    assert not later.remove(True, Silent())
    later.close()


def test_a_model_that_does_not_start(site: SageMakerSite, tmp_path: Path, parcels: Parcels) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "manifest.json").write_text("{}")
    broken = replace(parcels[1], bundle=empty, digest="0" * 64)
    site.deploy(parcels[0], options(), Silent())
    with pytest.raises(TargetError, match="ping health check"):
        site.deploy(broken, options(), Silent())
    assert site.infer(request(), 0)[0], "the one before serves on"
    with pytest.raises(TargetError, match="model refused the request"):
        site.infer(b"{}", 0)
    measured = site.measure()
    assert measured is not None
    assert (measured.requests, measured.errors) == (2, 1)
    assert measured.latency_ms.keys() == {"p50", "p90", "p99"}
    with pytest.raises(UsageError, match="up to 6 MB"):
        site.infer(b" " * (6 * 1024 * 1024 + 1), 0)


def test_binary_tensors_both_ways(site: SageMakerSite, parcels: Parcels) -> None:
    site.deploy(parcels[0], options(), Silent())
    raw = struct.pack("<768f", *([0.5] * 768))
    tensor = {
        "name": "image",
        "datatype": "FP32",
        "shape": [1, 3, 16, 16],
        "parameters": {"binary_data_size": len(raw)},
    }
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    answer, length = site.infer(head + raw, len(head))
    (output,) = json.loads(answer[:length])["outputs"]
    scores = struct.unpack("<10f", answer[length:])
    assert output["parameters"]["binary_data_size"] == 40
    plain = json.dumps({"inputs": [{**tensor, "parameters": {}, "data": [0.5] * 768}]}).encode()
    (expected,) = json.loads(site.infer(plain, 0)[0])["outputs"]
    assert scores == pytest.approx(expected["data"], rel=1e-5)
