"""Options of a resumed rollout, from its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue, from_json, to_json
from studio.documents.former_options import current
from studio.packages.results import PackageResult
from studio.registry import Registry
from studio.rollouts.results import TargetRow
from studio.rollouts.rollout_state import RolloutHead, RolloutState, SavedState, place_of
from studio.rollouts.step import ROLLOUT, RolloutOptions

RULE = (
    *(
        "strategy",
        "first_wave",
        "wave_size",
        "wave_by",
        "parallel",
        "max_failures",
        "max_failure_share",
    ),
    *("max_unavailable", "window", "rollback_on_halt", "requests", "soak_s"),
    *("max_error_rate", "max_latency_ratio", "min_agreement"),
    *("trial", "trial_s", "trial_rule"),
    *("embedding", "shadow_cpu", "keep_samples", "samples_mb", "replace", "sign", "downgrade"),
    "needs_approval",
)
"""Options of a rollout that a resumed one keeps."""


def head_of(options: RolloutOptions, bundle: Path, packaged: PackageResult | None) -> RolloutHead:
    """Return the request of a rollout for its ledger."""
    values = to_json(options)
    return RolloutHead(
        targets=tuple(one.name for one in options.target or ()),
        bundle=str(bundle),
        model=options.model,
        packaged=packaged,
        options={name: values[name] for name in RULE},
    )


def resumed(registry: Registry, options: RolloutOptions, name: str) -> RolloutOptions:
    """Return the options and the rows of the rollout to resume.

    Raises:
        UsageError: when it is unknown or done, its bundle is gone, or an option differs.
    """
    named = (options.model, options.bundle, options.target)
    parts = (options.labels, options.preprocess, options.outputs, options.dictionary, options.app)
    if any((*named, options.data, *parts)):
        raise UsageError(
            "A rollout that is resumed has its model and targets already.",
            hint="Leave them out, or start a new rollout without --resume.",
        )
    ledger = RolloutState.find(place_of(registry.folder.parent), name)
    saved = ledger.read()
    if saved.state == "done":
        raise UsageError(f"The rollout {ledger.name} is done.", hint="Start a new one.")
    values = to_json(options)
    stored = current(ROLLOUT.name, saved.head.options)
    _refuse_changes(ledger.name, values, stored)
    return replace(
        from_json(RolloutOptions, {**values, **stored}),
        resume=ledger.name,
        target=tuple(registry.target(one) for one in saved.head.targets),
        model=saved.head.model,
        bundle=_bundle(registry, ledger, saved),
        packaged=saved.head.packaged,
        rows=_rows(saved),
    )


def _refuse_changes(
    name: str, given: Mapping[str, JsonValue], before: Mapping[str, JsonValue]
) -> None:
    """Refuse an option that differs from the one of the rollout."""
    for option in ROLLOUT.form:
        if option.name not in RULE:
            continue
        default = option.check(option.default)
        value, former = (one.get(option.name, default) for one in (given, before))
        if value not in (default, former):  # a default may mean that the option was left out
            raise UsageError(
                f"The rollout {name} goes on with what it was told: {option.label} is "
                f"{_text(former)}, not {_text(value)}.",
                hint="Leave it out, or start a new rollout without --resume.",
            )


def _text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _bundle(registry: Registry, ledger: RolloutState, saved: SavedState) -> Path:
    """Return the bundle in its old folder, or in the store if it has been recorded since."""
    folder = Path(saved.head.bundle)
    if (folder / "manifest.json").is_file():
        return folder
    digest = saved.head.packaged.digest if saved.head.packaged else ""
    for version in registry.versions():
        if version.digest == digest and registry.has(version.path):
            registry.fetch(version.path)
            return version.path
    raise UsageError(
        f"The bundle of the rollout {ledger.name} is gone from {folder}.",
        hint="Start a new rollout; targets that have the release already are only judged.",
    )


def _rows(saved: SavedState) -> dict[str, TargetRow]:
    """Return the rows, without the results that the registry has recorded."""
    return {
        name: replace(row, result={}, undone={}) if name in saved.recorded else row
        for name, row in saved.rows.items()
    }
