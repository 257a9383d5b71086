"""The registry's verbs in MLflow's terms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.api import (
    ModelVersion,
    Progress,
    Publication,
    RegisteredModel,
    RegistryEvent,
    StudioError,
    UsageError,
)
from studio_mlflow import artifacts
from studio_mlflow.publication import RELEASE_TAG, Publishing
from studio_mlflow.rest import MlflowError, Rest

_PAGE = 200
_ALIAS_TAG = "edgewright.alias."
"""MLflow forgets what an alias stood for before; tags of versions remember it."""


class MlflowSession:
    """One server. Nothing is kept open between calls."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self.address = rest.server.address

    def close(self) -> None:
        """Close nothing: no connection is open."""

    def models(self) -> list[RegisteredModel]:
        """Return all registered models by name."""
        rows = self._pages("registered-models/search", "registered_models")
        return sorted((_model(row) for row in rows), key=lambda model: model.name)

    def versions(self, name: str) -> list[ModelVersion]:
        """Return the versions of a model, the newest first."""
        aliases = self._aliases(name)
        rows = self._pages(
            "model-versions/search", "model_versions", filter=f"name={_quoted(name)}"
        )
        found = [_version(row, aliases) for row in rows]
        return sorted(found, key=lambda one: -int(one.version))

    def find(self, name: str, version: str = "", alias: str = "") -> ModelVersion:
        """Return the version of a number or an alias, or the newest if neither is given."""
        if alias:
            aliases = self._aliases(name)
            if checked_alias(alias) not in aliases:
                known = ", ".join(sorted(aliases)) or "none"
                raise UsageError(
                    f"{name} has no alias {alias!r} in {self.address}.", hint=f"It has: {known}."
                )
            version = aliases[alias]
        if not version:
            found = self.versions(name)
            if not found:
                raise UsageError(f"{name} has no version in {self.address}.")
            return found[0]
        return self._one(name, checked_version(version))

    def set_alias(self, name: str, alias: str, version: str, by: str) -> ModelVersion:
        """Let an alias stand for a version, and note it in the version's tags."""
        checked_alias(alias)
        version = self.find(name, version=version).version
        self._rest.post("registered-models/alias", name=name, alias=alias, version=version)
        self._note(name, alias, version, by)
        return self.find(name, version=version)

    def remove_alias(self, name: str, alias: str, by: str) -> None:
        """Take an alias away."""
        found = self.find(name, alias=alias)
        self._rest.delete("registered-models/alias", name=name, alias=alias)
        self._note(name, alias, found.version, f"{by}, removed")

    def history(self, name: str) -> list[RegistryEvent]:
        """Return when versions were registered, and when aliases were last set."""
        events = []
        for version in self.versions(name):
            events.append(
                RegistryEvent(version.created, "registered", version.version, version.description)
            )
            events += _moves(version)
        return sorted(events, key=lambda event: (event.at, int(event.version)), reverse=True)

    def push(
        self, publication: Publication, options: Mapping[str, Any], progress: Progress
    ) -> ModelVersion:
        """Register a bundle as a new version, with a run for its figures."""
        checked_model(publication.name)
        # Checked before the upload, which would have to be undone.
        for alias in publication.aliases:
            checked_alias(alias)
        push = Publishing(self._rest, publication, str(options["experiment"]), progress)
        number = push.run()
        by = publication.tags.get("edgewright.by", "")
        try:
            for alias in publication.aliases:
                self.set_alias(publication.name, alias, number, by)
        except StudioError:
            push.undo(number)
            raise
        return self.find(publication.name, version=number)

    def pull(self, version: ModelVersion, folder: Path, progress: Progress) -> Path:
        """Fetch a version's bundle, or its ONNX model."""
        answer = self._rest.get(
            "model-versions/get-download-uri", name=version.name, version=version.version
        )
        place = artifacts.place_of(str(answer.get("artifact_uri") or ""))
        files, model = artifacts.files_to_fetch(self._rest, artifacts.listed(self._rest, place))
        folder.mkdir(parents=True, exist_ok=True)
        artifacts.fetch(self._rest, files, folder, progress)
        return folder / model if model else folder

    def _one(self, name: str, version: str) -> ModelVersion:
        try:
            answer = self._rest.get("model-versions/get", name=name, version=version)
        except MlflowError as error:
            if error.missing:
                raise UsageError(f"{name} has no version {version} in {self.address}.") from None
            raise
        return _version(answer.get("model_version") or {}, self._aliases(name))

    def _aliases(self, name: str) -> dict[str, str]:
        """Return the version of each alias; raise if the model does not exist."""
        try:
            answer = self._rest.get("registered-models/get", name=checked_model(name))
        except MlflowError as error:
            if error.missing:
                raise UsageError(
                    f"{self.address} has no model {name!r}.", hint="studio registry list shows all."
                ) from None
            raise
        return dict(_model(answer.get("registered_model") or {}).aliases)

    def _note(self, name: str, alias: str, version: str, by: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._rest.post(
            "model-versions/set-tag",
            name=name,
            version=version,
            key=_ALIAS_TAG + alias,
            value=f"{now} {by}".strip(),
        )

    def _pages(self, verb: str, key: str, **query: str) -> Iterator[dict[str, Any]]:
        token = ""
        while True:
            more = {"page_token": token} if token else {}
            answer = self._rest.get(verb, max_results=_PAGE, **query, **more)
            yield from answer.get(key) or []
            last, token = token, str(answer.get("next_page_token") or "")
            if not token or token == last:
                return


def _model(row: Mapping[str, Any]) -> RegisteredModel:
    aliases = {str(one["alias"]): str(one["version"]) for one in row.get("aliases") or []}
    numbers = [int(one["version"]) for one in row.get("latest_versions") or []]
    return RegisteredModel(
        str(row.get("name") or ""), str(max(numbers)) if numbers else "", aliases
    )


def _version(row: Mapping[str, Any], aliases: Mapping[str, str]) -> ModelVersion:
    number = str(row.get("version") or "")
    tags = {str(tag["key"]): str(tag.get("value") or "") for tag in row.get("tags") or []}
    return ModelVersion(
        name=str(row.get("name") or ""),
        version=number,
        created=_moment(row.get("creation_timestamp")),
        aliases=tuple(sorted(alias for alias, at in aliases.items() if at == number)),
        run=str(row.get("run_id") or ""),
        release=tags.get(RELEASE_TAG, ""),
        tags=tags,
        description=str(row.get("description") or ""),
    )


def _moves(version: ModelVersion) -> Iterator[RegistryEvent]:
    for tag, value in version.tags.items():
        if tag.startswith(_ALIAS_TAG):
            at, _, by = value.partition(" ")
            text = tag.removeprefix(_ALIAS_TAG) + (f" by {by}" if by else "")
            yield RegistryEvent(at, "alias", version.version, text)


def _moment(milliseconds: Any) -> str:
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC).isoformat(
            timespec="milliseconds"
        )
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _quoted(name: str) -> str:
    """Return a name quoted for MLflow's filters."""
    return f'"{name}"' if "'" in name else f"'{name}'"


_LONGEST = 255
_ALIAS = re.compile(r"[\w\-]+", re.ASCII)
_LIKE_A_VERSION = re.compile(r"[vV]\d+")


def checked_model(name: str) -> str:
    """Return a valid name of a registered model.

    Raises:
        UsageError: when MLflow would refuse it.
    """
    bad = next((sign for sign in "/:" if sign in name), "")
    if bad:
        raise UsageError(
            f"MLflow allows no {bad!r} in the name of a model: {name!r}.",
            hint="Choose another with --name.",
        )
    if not name.strip() or len(name) > _LONGEST:
        raise UsageError(f"The name of a model in MLflow has 1 to {_LONGEST} characters.")
    return name


def checked_alias(alias: str) -> str:
    """Return a valid name of an alias.

    Raises:
        UsageError: when MLflow would refuse it.
    """
    if not _ALIAS.fullmatch(alias) or len(alias) > _LONGEST:
        raise UsageError(
            f"{alias!r} cannot be an alias in MLflow.",
            hint="It has letters, digits, dashes and underscores.",
        )
    if alias.lower() == "latest" or _LIKE_A_VERSION.fullmatch(alias):
        raise UsageError(
            f"MLflow keeps the alias {alias!r} for itself.", hint="champion, challenger ..."
        )
    return alias


def checked_version(text: str) -> str:
    """Return a valid version number.

    Raises:
        UsageError: when it is no number.
    """
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(f"A version in MLflow is a number, not {text!r}.")
    return str(int(text))
