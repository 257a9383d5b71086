"""What moto lacks inside: percentiles, and the instance types of the last years."""

from __future__ import annotations

from typing import Any

from moto.cloudwatch.models import Statistics
from moto.sagemaker.models import FakeEndpointConfig

_statistic = Statistics.get_statistics_for_type


def _with_percentiles(self: Statistics, stat: str) -> Any:
    if not stat.startswith("p"):
        return _statistic(self, stat)
    values = sorted(float(one.value) for one in self.metric_data)
    return values[min(len(values) - 1, int(len(values) * float(stat[1:]) / 100))]


def _any_type(self: FakeEndpointConfig, instance_type: str) -> None:
    """The layer compares it with botocore's list."""


Statistics.get_statistics_for_type = _with_percentiles
FakeEndpointConfig.validate_instance_type = _any_type
