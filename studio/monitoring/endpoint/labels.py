"""Labels that arrive later: read from a file, sent to a server, and summarized."""

from __future__ import annotations

import csv
import http.client
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from studio.api import TargetError, UsageError
from studio.monitoring.endpoint.endpoint import Endpoint
from studio.monitoring.endpoint.results import LiveLabels

_PORTION = 5000
_HEADS = (["id", "label"], ["file", "label"])
_FETCHED = ".npz"
_JSON = {"Content-Type": "application/json"}


class Labels(dict[str, str]):
    """Labels by the ids of requests.

    Attributes:
        chosen: Whether they belong to stored uncertain requests.
    """

    chosen = False


def read_labels(path: Path) -> Labels:
    """Read the labels of a CSV file (``id,label``), or of JSON (an object, or a line for each).

    Raises:
        UsageError: when a line is invalid, with its number.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        found = Labels(_of_json(path.name, text))
    else:
        named = _of_csv(path.name, text)
        found = Labels({_identifier(name): label for name, label in named.items()})
        found.chosen = bool(named) and all(name.endswith(_FETCHED) for name in named)
    if not found:
        raise UsageError(f"{path.name} has no labels.", hint="Write one line per label: id,label")
    return found


def _of_csv(name: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, row in enumerate(csv.reader(text.splitlines()), 1):
        if not row or (number == 1 and [cell.strip().lower() for cell in row] in _HEADS):
            continue
        if len(row) != 2 or not row[0].strip():
            raise UsageError(f"{name}, line {number}: a line is id,label.")
        found[row[0].strip()] = row[1].strip()
    return found


def _identifier(text: str) -> str:
    """Return the id of a request, also from the name of its fetched sample."""
    return unquote(text.removesuffix(_FETCHED)) if text.endswith(_FETCHED) else text


def _of_json(name: str, text: str) -> dict[str, str]:
    lines = text.splitlines() if name.endswith(("l", "ndjson")) else [text]
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        try:
            one = json.loads(line) if line.strip() else {}
        except ValueError as error:
            raise UsageError(f"{name}, line {number} is no JSON: {error}.") from None
        if not isinstance(one, dict):
            raise UsageError(f"{name}, line {number}: an object is wanted.")
        if set(one) == {"id", "label"}:
            identifier, label = (one[key] for key in _HEADS[0])
            one = {identifier: label}
        found.update({str(key): str(value) for key, value in one.items()})
    return found


def send_labels(endpoint: Endpoint, labels: Mapping[str, str]) -> None:
    """Send labels to a server in portions.

    Raises:
        TargetError: when it refuses them, or its runtime is too old for labels.
    """
    pairs = list(labels.items())
    # Portions keep a request below the size that a server accepts.
    connection = endpoint.connect(10.0)
    try:
        for begin in range(0, len(pairs), _PORTION):
            portion: dict[str, object] = {"labels": dict(pairs[begin : begin + _PORTION])}
            if getattr(labels, "chosen", False):
                portion["chosen"] = True
            body = json.dumps(portion).encode()
            answer = endpoint.request(connection, "POST", "/edgewright/labels", body, _JSON)
            answer.read()
            if answer.status == 404:
                raise TargetError(
                    "The runtime on this target is too old for labels.",
                    hint="Deploy again to update it.",
                )
            if answer.status != 200:
                raise TargetError(f"The server refused the labels: status {answer.status}.")
    except (OSError, http.client.HTTPException) as error:
        raise TargetError(f"The server does not answer: {error}.") from None
    finally:
        connection.close()


def labels_of(labels: LiveLabels | None) -> LiveLabels:
    """Return the labels of a status, with a sentence about unmatched ones."""
    if labels is None or not (labels.matched or labels.unmatched or labels.uncertain):
        return LiveLabels()
    note = ""
    if labels.unmatched:
        note = (
            f"{labels.unmatched} labels belong to no request that is remembered: another id, a "
            "request without one, an answer that is no class, or one before the last 4,096 or the "
            "last restart."
        )
    return replace(labels, note=note)
