"""Measurements and logs of an endpoint, from CloudWatch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from studio.api import Measurement
from studio_sagemaker.cloud import Cloud
from studio_sagemaker.desired_state import Json
from studio_sagemaker.names import EndpointNames
from studio_sagemaker.refusals import AwsRefusal

_WINDOW_S = 300
_PERIOD_S = 60
_SUMS = {
    "invocations": "Invocations",
    "client_errors": "Invocation4XXErrors",
    "server_errors": "Invocation5XXErrors",
}
_PERCENTILES = ("p50", "p90", "p99")
_STREAMS = 5


def measure(
    cloud: Cloud, place: EndpointNames, variant: str, ready: bool, release: str
) -> Measurement:
    """Return the last five minutes of a variant; CloudWatch lags by some minutes.

    ``ModelLatency`` is in microseconds there, of the container without SageMaker's own overhead.
    A percentile over several minutes does not follow from those of the minutes: the worst is given.
    """
    end = datetime.now(UTC)
    pages = cloud.pages(
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        "read the metrics",
        MetricDataQueries=_queries(place, variant),
        StartTime=end - timedelta(seconds=_WINDOW_S),
        EndTime=end + timedelta(seconds=_PERIOD_S),  # the minute that is not over
    )
    values: dict[str, list[float]] = {}
    for result in pages:
        values.setdefault(str(result["Id"]), []).extend(result.get("Values") or ())
    sums = {name: int(sum(values.get(name, ()))) for name in _SUMS}
    latency = {name: max(values[name]) / 1000 for name in _PERCENTILES if values.get(name)}
    errors = sums["client_errors"] + sums["server_errors"]
    requests = sums["invocations"]
    facts = {name: sums[name] for name in ("client_errors", "server_errors")}
    rate = requests / _WINDOW_S
    return Measurement(ready, requests, errors, rate, latency, _WINDOW_S, release, facts)


def _queries(place: EndpointNames, variant: str) -> list[Json]:
    found = [_query(place, variant, name, metric, "Sum") for name, metric in _SUMS.items()]
    return found + [_query(place, variant, p, "ModelLatency", p) for p in _PERCENTILES]


def _query(place: EndpointNames, variant: str, name: str, metric: str, statistic: str) -> Json:
    dimensions = [
        {"Name": "EndpointName", "Value": place.endpoint},
        {"Name": "VariantName", "Value": variant},
    ]
    measured = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
    return {
        "Id": name,
        "MetricStat": {"Metric": measured, "Period": _PERIOD_S, "Stat": statistic},
        "ReturnData": True,
    }


class Logs:
    """The log group that SageMaker makes for an endpoint, and leaves behind."""

    def __init__(self, cloud: Cloud, place: EndpointNames) -> None:
        self._cloud = cloud
        self._group = place.log_group

    def lines(self, variant: str, count: int) -> Iterator[str]:
        """Return the last lines of a variant's newest containers, the oldest first."""
        rows: list[tuple[int, str]] = []
        for stream in self._streams(variant):
            answer = self._cloud.find(
                "logs",
                "get_log_events",
                "read the logs",
                logGroupName=self._group,
                logStreamName=stream,
                limit=min(max(count, 1), 10000),
                startFromHead=False,
            )
            events = (answer or {}).get("events") or ()
            rows += [(int(one["timestamp"]), str(one["message"]).rstrip("\n")) for one in events]
        rows.sort(key=lambda row: row[0])
        return iter([text for _, text in rows[-count:]])

    def exists(self) -> bool:
        """Return whether there is a group."""
        pages = self._cloud.pages(
            "logs",
            "describe_log_groups",
            "logGroups",
            "list the logs",
            logGroupNamePrefix=self._group,
        )
        return any(one["logGroupName"] == self._group for one in pages)

    def remove(self) -> None:
        """Delete the group."""
        if self.exists():
            what = f"delete the logs {self._group}"
            self._cloud.find("logs", "delete_log_group", what, logGroupName=self._group)

    def _streams(self, variant: str) -> list[str]:
        try:
            answer = self._cloud.call(
                "logs",
                "describe_log_streams",
                "list the logs",
                logGroupName=self._group,
                orderBy="LastEventTime",
                descending=True,
            )
        except AwsRefusal as error:
            if error.missing:
                return []  # nothing was logged yet
            raise
        names = [str(one["logStreamName"]) for one in answer.get("logStreams") or ()]
        return [name for name in names if name.startswith(f"{variant}/")][:_STREAMS]
