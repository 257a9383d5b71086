"""One push: a run with figures and files, then the version that points at them."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import Cancelled, Progress, Publication, StudioError
from studio_mlflow import artifacts
from studio_mlflow.flavour import flavour_files
from studio_mlflow.rest import MlflowError, Rest

RELEASE_TAG = "edgewright.release"
_FOLDER = "model"
_PARAMETER = 6000
"""Longest value of a parameter; the first servers of version 2 allow less, and say so."""

# MLflow's limit of parameters in one log-batch request.
_BATCH = 100
_NOT_IN_KEYS = re.compile(r"[^\w\-. /]", re.ASCII)


class Publishing:
    """Upload of files first, then the version; a failure in between is rolled back."""

    def __init__(
        self, rest: Rest, publication: Publication, experiment: str, progress: Progress
    ) -> None:
        self._rest = rest
        self._what = publication
        self._experiment = experiment
        self._progress = progress
        self._identifier = ""
        self._new_name = False

    def run(self) -> str:
        """Push, and return the number of the new version."""
        run = self._begin()
        self._identifier = str(run["info"]["run_id"])
        try:
            return self._register(run, self._identifier)
        # Also for a cancel, so that no half-made version is left.
        except BaseException as error:
            self._roll_back(error)
            raise

    def undo(self, number: str) -> None:
        """Take a version back that was registered, with all that belongs to it."""
        self._quietly("model-versions/delete", name=self._what.name, version=number)
        self._roll_back(None)

    def _register(self, run: Mapping[str, Any], identifier: str) -> str:
        self._log(identifier)
        uri = str(run["info"]["artifact_uri"])
        with tempfile.TemporaryDirectory() as scratch:
            files = self._files(identifier, Path(scratch))
            artifacts.store(
                self._rest, files, f"{artifacts.place_of(uri)}/{_FOLDER}", self._progress
            )
        self._end(identifier, "FINISHED")
        self._new_name = self._make_model()
        answer = self._rest.post(
            "model-versions/create",
            name=self._what.name,
            source=f"{uri}/{_FOLDER}",
            run_id=identifier,
            tags=_pairs({**self._what.tags, RELEASE_TAG: self._what.digest}),
            description=self._what.description,
        )
        return str(answer["model_version"]["version"])

    def _begin(self) -> dict[str, Any]:
        tags = {
            **self._what.tags,
            "mlflow.runName": f"{self._what.name} {self._what.manifest['version']}",
            "mlflow.source.name": "edgewright",
            "mlflow.user": self._what.tags.get("edgewright.by", ""),
        }
        answer = self._rest.post(
            "runs/create",
            experiment_id=self._experiment_id(),
            start_time=_now(),
            tags=_pairs(tags),
        )
        return dict(answer["run"])

    def _experiment_id(self) -> str:
        name = self._experiment
        try:
            answer = self._rest.get("experiments/get-by-name", experiment_name=name)
            return str(answer["experiment"]["experiment_id"])
        except MlflowError as error:
            if not error.missing:
                raise
        return str(self._rest.post("experiments/create", name=name)["experiment_id"])

    def _log(self, identifier: str) -> None:
        now = _now()
        metrics = [
            {"key": _key(name), "value": value, "timestamp": now, "step": 0}
            for name, value in self._what.metrics.items()
        ]
        params = [
            {"key": _key(name), "value": value[:_PARAMETER]}
            for name, value in self._what.parameters.items()
        ]
        for start in range(0, max(len(metrics), len(params), 1), _BATCH):
            part = slice(start, start + _BATCH)
            self._rest.post(
                "runs/log-batch", run_id=identifier, metrics=metrics[part], params=params[part]
            )

    def _files(self, identifier: str, scratch: Path) -> dict[str, Path]:
        """Return the bundle's files, with the flavour's files next to them.

        Raises:
            StudioError: when a tensor of the model has the name of one of MLflow's files.
        """
        bundle = self._what.bundle
        files = {
            path.relative_to(bundle).as_posix(): path
            for path in sorted(bundle.rglob("*"))
            if path.is_file()
        }
        for name, content in flavour_files(self._what.manifest, identifier).items():
            if name in files:
                raise StudioError(f"The bundle's file {name} stands where MLflow's own belongs.")
            files[name] = scratch / name
            files[name].write_bytes(content)
        return files

    def _make_model(self) -> bool:
        """Register the name; False when it was there."""
        try:
            self._rest.post("registered-models/create", name=self._what.name)
        except MlflowError as error:
            if error.code != "RESOURCE_ALREADY_EXISTS":
                raise
            return False
        return True

    def _end(self, identifier: str, status: str) -> None:
        self._rest.post("runs/update", run_id=identifier, status=status, end_time=_now())

    def _roll_back(self, error: BaseException | None) -> None:
        """Mark the run as failed and delete it; the first error is the one reported."""
        if self._new_name:
            self._quietly("registered-models/delete", name=self._what.name)
        status = "KILLED" if isinstance(error, Cancelled) else "FAILED"
        try:
            self._end(self._identifier, status)
        except StudioError:
            self._progress.log(f"The run {self._identifier} could not be marked as {status}.")
        try:
            self._rest.post("runs/delete", run_id=self._identifier)
        except StudioError:
            self._progress.log(f"The run {self._identifier} of the failed push is left.")

    def _quietly(self, verb: str, **body: Any) -> None:
        try:
            self._rest.delete(verb, **body)
        except StudioError:
            self._progress.log(f"{self._what.name}: {verb} failed, too; look there.")


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items() if value]


def _key(name: str) -> str:
    return _NOT_IN_KEYS.sub("_", name)


def _now() -> int:
    return int(time.time() * 1000)
