"""A SageMaker endpoint, against moto with real runtimes behind its endpoints (tests/rigs)."""

from __future__ import annotations

from typing import Any

import pytest

from studio.api import Parcel
from studio.api.testing_platforms import Example, check_platform
from studio_sagemaker.platform import SageMakerPlatform
from tests.rigs.kubernetes.parcels import request
from tests.rigs.sagemaker.aws import IMAGE, ROLE, FakeAws
from tests.rigs.sagemaker.sites import aws as aws
from tests.rigs.sagemaker.sites import parcels as parcels
from tests.rigs.sagemaker.sites import target


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "canary"),
    [
        ({}, True),
        ({"mode": "serverless"}, False),
        ({"mode": "async"}, False),
    ],
    ids=["realtime", "serverless", "async"],
)
def test_the_life_of_a_target(
    aws: FakeAws, parcels: tuple[Parcel, Parcel], given: dict[str, Any], canary: bool
) -> None:
    example = Example(*parcels, request(), {"image": IMAGE, "role": ROLE, **given}, canary)
    check_platform(SageMakerPlatform(), target(), example)
