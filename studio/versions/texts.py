"""Lines of the command line about versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.documents.dataclass_json import JsonValue
from studio.documents.text_table import megabytes, table
from studio.versions.results import (
    AliasMove,
    ExportResult,
    GarbageResult,
    ImportResult,
    Lineage,
    RecordedMove,
    ReleasesAt,
    ServedRelease,
    VariantOrigin,
    VersionRow,
)

_SHORT = 12


def alias_move(move: AliasMove) -> list[str]:
    """Return the version that a moved alias points to."""
    what = f"is version {move.to}" if move.to else "is gone"
    return [f"{move.model}@{move.alias} {what}{f', before {move.before}' if move.before else ''}"]


def promotion(move: AliasMove) -> list[str]:
    """Return the move, and the gates of its evidence."""
    return [*alias_move(move), *(f"gate met  {gate.name}" for gate in move.ground.gates)]


def export(result: ExportResult) -> list[str]:
    """Return the content of a written archive."""
    counts = f"{result.variants} variants and {result.versions} versions"
    return [f"{counts} of {', '.join(result.models)}, {megabytes(result.bytes)}", result.output]


def imported_models(result: ImportResult) -> list[str]:
    """Return a line for each imported model."""
    return [
        f"{row.name}: {row.variants} new variants, {row.versions} new versions"
        + ("" if row.name == row.asked else f" (the name {row.asked} is another model's)")
        for row in result.models
    ]


def garbage(result: GarbageResult) -> list[str]:
    """Return the removed folders of a collection, and the reasons for the others."""
    word = "Would remove" if result.dry_run else "Removed"
    rows = [(one.name, megabytes(one.bytes), "removed") for one in result.versions]
    rows += [(one.path[:_SHORT], megabytes(one.bytes), "removed") for one in result.orphans]
    rows += [(one.name, "", one.because) for one in result.kept]
    spared = []
    if result.spared:
        spared.append(
            f"{result.spared} folders are not known since the registry was restored; they stay "
            "(--forgotten takes them, too)."
        )
    return [f"{word} {megabytes(result.bytes)}.", *spared, *table(("what", "size", "why"), rows)]


def version_list(versions: Sequence[VersionRow]) -> list[str]:
    """Return the table of versions."""
    if not versions:
        return ["No version was made yet. Make one: studio package MODEL"]
    rows = [
        (
            f"{row.model}:{row.version}",
            ", ".join(row.aliases),
            row.variant,
            row.digest[:_SHORT],
            _moment(row.created),
            ", ".join(row.targets),
        )
        for row in versions
    ]
    return table(("version", "aliases", "variant", "release", "made (UTC)", "runs on"), rows)


def lineage(found: Lineage) -> list[str]:
    """Return the lineage of a version."""
    lines = [
        f"{found.model}:{found.version}  {', '.join(found.aliases)}".rstrip(),
        f"release  {found.digest}",
        f"content  {found.content or 'the bundle is not kept any more'}",
        f"made     {_moment(found.created)} UTC, counter {found.counter}",
        f"tools    {', '.join(f'{name} {version}' for name, version in found.tools.items())}",
        f"runs on  {', '.join(found.targets) or 'no target'}",
    ]
    if found.packaged:
        lines.append(f"packaged by {found.packaged.by}{_inputs(found.packaged.inputs)}")
    for variant in found.variants:
        lines += _origin(variant)
    return [*lines, *map(_recorded_move, found.moves)]


def _origin(variant: VariantOrigin) -> list[str]:
    options = ", ".join(f"{name} {value}" for name, value in _brief(variant.options).items())
    size = megabytes(variant.bytes)
    lines = [f"from {variant.variant}  {variant.digest[:_SHORT]}  {size}"]
    lines.append(f"     {variant.step} {options}".rstrip())
    if variant.inputs:
        lines.append(f"    {_inputs(variant.inputs)}")
    if variant.by:
        lines.append(f"     by {variant.by}")
    return lines


def _recorded_move(move: RecordedMove) -> str:
    ground = move.ground
    judged = f", {len(ground.gates)} gates met in {ground.run}" if ground.gates else ""
    reason = f", because {ground.because}" if ground.because else ""
    return (
        f"{_moment(move.at)}  {move.alias}: {move.before or 'none'} -> "
        f"{move.to or 'none'}, {move.why} by {move.by}{judged}{reason}"
    )


def releases_at(found: ReleasesAt) -> list[str]:
    """Return the releases of targets at one time."""
    if not found.targets:
        return ["Nothing was deployed from here."]
    rows = [(row.target, *_served(row.served)) for row in found.targets]
    head = ("target", "version", "release", "since (UTC)", "until")
    when = "Now" if found.at == "now" else f"At {_moment(found.at)} UTC"
    return [when, *table(head, rows)]


def _served(served: ServedRelease | None) -> tuple[str, ...]:
    if served is None:
        return ("nothing", "", "", "")
    trial = " (on trial)" if served.on_trial else ""
    beside = f" and {served.canary} as canary" if served.canary is not None else ""
    what = f"{served.name}:{served.version}{trial}{beside}"
    return (what, served.release[:_SHORT], _moment(served.since), _moment(served.until or "now"))


def _moment(text: str) -> str:
    """Return a time of the registry without its fraction and zone."""
    return text[:19].replace("T", " ")


def _brief(options: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {k: v for k, v in options.items() if v not in (None, "", []) and len(str(v)) < 80}


def _inputs(inputs: Mapping[str, str]) -> str:
    return "".join(f" {name} {digest[:_SHORT]}" for name, digest in inputs.items())
