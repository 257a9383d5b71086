"""Listing and removal of all AWS resources that the studio created for one target."""

from __future__ import annotations

from collections.abc import Iterator

from studio.api import Progress, Resource
from studio_sagemaker.cloud import Cloud
from studio_sagemaker.cloudwatch import Logs
from studio_sagemaker.endpoint import Endpoint
from studio_sagemaker.names import EndpointNames
from studio_sagemaker.prices import cost_of
from studio_sagemaker.record import Record, ReleaseEntry
from studio_sagemaker.scaling import Alarms, Scaling
from studio_sagemaker.storage import Storage, split_url


class Inventory:
    """Endpoint, autoscaling, alarms, configurations, models, objects and logs of a target.

    Args:
        buckets: Buckets of objects besides those that models name.
    """

    def __init__(
        self, cloud: Cloud, place: EndpointNames, endpoint: Endpoint, buckets: tuple[str, ...]
    ) -> None:
        self._cloud = cloud
        self._place = place
        self._endpoint = endpoint
        self._buckets = buckets
        self._record = Record(cloud, place)

    def resources(self) -> list[Resource]:
        """Return all resources, those that cost by the hour first."""
        where = self._place.region
        found = list(self._running(where))
        found += [Resource("alarm", name, where) for name in Alarms(*self._parts).names()]
        for one in self._record.configurations():
            found.append(Resource("endpoint configuration", one.name, where))
        models = self._record.models()
        found += [Resource("model", one.resource, where, one.at) for one in models]
        for bucket in self._all_buckets(models):
            for item in Storage(*self._parts).keys(bucket):
                since = str(item.get("LastModified") or "")
                found.append(Resource("object", f"s3://{bucket}/{item['Key']}", where, since))
        if Logs(*self._parts).exists():
            found.append(Resource("log group", self._place.log_group, where))
        return found

    def stop(self, progress: Progress) -> None:
        """Delete what runs or costs: autoscaling, endpoint, alarms."""
        self._endpoint.refuse_strangers()
        self._endpoint.settled(progress)
        Scaling(*self._parts).remove()
        self._endpoint.delete(progress)
        Alarms(*self._parts).remove()

    def purge(self, progress: Progress) -> None:
        """Delete all other resources."""
        # Read before anything is deleted: the models name the buckets of their objects.
        models = self._record.models()
        for bucket in self._all_buckets(models):
            storage = Storage(*self._parts)
            for item in list(storage.keys(bucket)):
                progress.progress(0, 0, f"Removing {item['Key']}")
                storage.delete(bucket, item["Key"])
        for configuration in self._record.configurations():
            self.drop_configuration(configuration.name)
        for entry in models:
            self.drop_model(entry)
        Logs(*self._parts).remove()

    def drop_configuration(self, name: str) -> None:
        """Delete an endpoint configuration."""
        what = f"delete the configuration {name}"
        self._cloud.find("sagemaker", "delete_endpoint_config", what, EndpointConfigName=name)

    def drop_model(self, entry: ReleaseEntry) -> None:
        """Delete a model."""
        what = f"delete the model {entry.resource}"
        self._cloud.find("sagemaker", "delete_model", what, ModelName=entry.resource)

    def drop_release(self, entry: ReleaseEntry) -> None:
        """Delete an old release: its configurations, its object, its model."""
        for one in self._record.configurations():
            if one.tags.get("edgewright:release") == entry.release:
                self.drop_configuration(one.name)
        for url in self._data_of(entry):
            Storage(*self._parts).delete(*split_url(url))
        self.drop_model(entry)

    @property
    def _parts(self) -> tuple[Cloud, EndpointNames]:
        return self._cloud, self._place

    def _running(self, where: str) -> Iterator[Resource]:
        found = self._endpoint.describe()
        if found is not None:
            variants = self._endpoint.variants(str(found.get("EndpointConfigName") or ""))
            failed = found["EndpointStatus"] in ("Failed", "OutOfService")
            cost = cost_of(self._place.region, variants).per_hour if variants else None
            since = str(found.get("CreationTime") or "")
            name = self._place.endpoint
            yield Resource(
                "endpoint", name, where, since, not failed, True, 0.0 if failed else cost
            )
        scaling = Scaling(*self._parts)
        if scaling.find() is not None:
            yield Resource("scalable target", scaling.resource, where)

    def _all_buckets(self, models: list[ReleaseEntry]) -> list[str]:
        named = {split_url(url)[0] for one in models for url in self._data_of(one)}
        return sorted(named.union(self._buckets))

    def _data_of(self, entry: ReleaseEntry) -> list[str]:
        what = f"look at the model {entry.resource}"
        found = self._cloud.find("sagemaker", "describe_model", what, ModelName=entry.resource)
        url = ((found or {}).get("PrimaryContainer") or {}).get("ModelDataUrl")
        return [str(url)] if url else []
