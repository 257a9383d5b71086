"""Node labels and tolerations as they are written on a command line."""

from __future__ import annotations

from studio.api import UsageError
from studio_kubernetes.names import is_label_key, is_label_value
from studio_kubernetes.workload import Json

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def node_selector(text: str | None) -> dict[str, str]:
    """``KEY=VALUE,...`` as a nodeSelector.

    Raises:
        UsageError: for another form.
    """
    found = {}
    for part in _parts(text):
        key, equals, value = part.partition("=")
        if not equals or not is_label_key(key) or not is_label_value(value):
            raise UsageError(f"{part!r} is not a node's label.", hint="Write KEY=VALUE,...")
        found[key] = value
    return found


def tolerations(text: str | None) -> list[Json]:
    """``KEY[=VALUE][:EFFECT],...`` as tolerations.

    Raises:
        UsageError: for another form.
    """
    found = []
    for part in _parts(text):
        rest, colon, effect = part.partition(":")
        key, equals, value = rest.partition("=")
        wrong = not is_label_key(key) or not is_label_value(value)
        if wrong or (colon and effect not in _EFFECTS):
            raise UsageError(
                f"{part!r} is not a toleration.",
                hint=f"Write KEY[=VALUE][:EFFECT]; an effect is one of {', '.join(_EFFECTS)}.",
            )
        one: Json = {"key": key, "operator": "Equal" if equals else "Exists"}
        if equals:
            one["value"] = value
        if effect:
            one["effect"] = effect
        found.append(one)
    return found


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]
