"""Statements about the model itself: its graph, its origin, its licence and its changes."""

from __future__ import annotations

from collections.abc import Iterator

from studio.documents.text_table import counted
from studio.features.evidence.dossier.statement import Material, Statement, StatementTable, missing
from studio.features.evidence.results import Figure
from studio.models.results import ModelFigures, Terminal

VARIANT_FILE = "records/variant.json"

_COUNTS = {
    "bytes": ("Size", "B"),
    "nodes": ("Nodes", ""),
    "parameters": ("Parameters", ""),
    "macs": ("Multiply-accumulates per inference", ""),
    "weight_bytes": ("Weights", "B"),
    "activation_bytes": ("Activations, peak", "B"),
}
_MOST_OPERATORS = 12


def model_facts(material: Material) -> Iterator[Statement]:
    """Yield the statements about the model."""
    yield _summary(material)
    yield _lineage(material)
    yield _licence(material)
    yield _changes(material)
    yield _intake(material)
    yield _components(material)


def _summary(material: Material) -> Statement:
    variant = material.records.variant
    found = ModelFigures.read(variant.summary)
    values = {name: getattr(found, name) for name in _COUNTS}
    if found.macs_unknown and not found.macs:
        values["macs"] = None
    figures = tuple(
        Figure(
            f"model.{name}",
            _COUNTS[name][0],
            float(value),
            unit=_COUNTS[name][1],
            file=VARIANT_FILE,
            method="field",
            arguments={"place": ["summary", name]},
            origin=material.origin(),
            section="model.summary",
        )
        for name, value in values.items()
        if value is not None
    )
    sentence = (
        f"{variant.ref.model_name}:{variant.ref.name} is a model in the format "
        f"{variant.ref.format}, precision {variant.ref.precision}. "
        f"SHA-256 of its file: {variant.ref.digest}."
    )
    nodes = counted(found.macs_unknown, "node")
    unknown = f"Multiply-accumulates of {nodes} are unknown, as the sizes are."
    ends = StatementTable(
        ("", "name", "type", "shape"),
        (*_ends("input", found.inputs), *_ends("output", found.outputs)),
        "Inputs and outputs",
    )
    ordered = sorted(found.operators.items(), key=lambda one: -one[1])[:_MOST_OPERATORS]
    operators = StatementTable(("operator", "nodes"), tuple(ordered), "Operators", " n")
    tables = (ends, operators) if ordered else (ends,)
    return Statement(
        "model.summary",
        note="from the file",
        paragraphs=(sentence, unknown) if found.macs_unknown else (sentence,),
        tables=tables,
        figures=figures,
    )


def _ends(kind: str, ends: tuple[Terminal, ...]) -> Iterator[tuple[str, str, str, str]]:
    for end in ends:
        shape = "not known" if end.shape is None else " x ".join(map(_size, end.shape))
        yield kind, end.name, end.dtype, shape or "one value"


def _size(size: int | str | None) -> str:
    return "?" if size is None else str(size)


def _lineage(material: Material) -> Statement:
    records = material.records
    rows = tuple(
        (one.variant, one.step, one.created[:19], one.by, one.digest) for one in records.ancestors
    )
    made = StatementTable(("variant", "made by", "at (UTC)", "from", "SHA-256"), rows, "Variants")
    tables, sentences = [made], []
    origin = records.lineage
    if origin is None:
        sentences.append("This variant was not packaged: it has no version.")
    else:
        sentences.append(
            f"Version {origin.version} has the digest {origin.digest}, made on "
            f"{origin.created[:10]}, with counter {origin.counter}."
        )
        tools = tuple((name, str(version)) for name, version in origin.tools.items())
        tables.append(StatementTable(("tool", "version"), tools, "Tools of the build"))
    return Statement(
        "model.lineage",
        note="from the registry",
        paragraphs=tuple(sentences),
        tables=tuple(tables),
    )


def _licence(material: Material) -> Statement:
    records = material.records
    licence = records.project.licence or ModelFigures.read(records.variant.summary).licence
    if not licence:
        return missing("licence", "no licence in the model's folder or file")
    return Statement(
        "licence", note="from the model's folder", paragraphs=(f"Licence of the model: {licence}.",)
    )


def _changes(material: Material) -> Statement:
    records = material.records
    if not records.moves and not records.releases:
        return missing("changes", "no alias was moved, and nothing was deployed")
    moved = tuple(
        (one.at[:19], one.alias, one.before or "", one.to or "", one.why, one.by)
        for one in records.moves
    )
    head = ("at (UTC)", "alias", "before", "after", "why", "by")
    tables = (StatementTable(head, moved, "Moves of aliases"),) if moved else ()
    count = len(records.releases)
    sentence = f"{count} changes of releases were recorded; see Targets and runtimes."
    return Statement(
        "changes",
        note="from the registry",
        paragraphs=(sentence,) if count else (),
        tables=tables,
    )


def _intake(material: Material) -> Statement:
    found = ModelFigures.read(material.records.reference.summary).intake
    rows = tuple((one.level, one.code, one.text) for one in found)
    sentence = (
        "The file was read without running code of it; sizes, paths and operators were checked. "
        f"Findings: {len(rows) or 'none'}."
    )
    tables = (StatementTable(("level", "code", "finding"), rows, "Findings"),) if rows else ()
    return Statement("security.intake", note="from the file", paragraphs=(sentence,), tables=tables)


def _components(material: Material) -> Statement:
    tools = material.records.tools
    rows = tuple(tools.items())
    sentence = (
        "The bill of materials stands in bom.cdx.json (CycloneDX 1.6), bom-1.7.cdx.json "
        "(CycloneDX 1.7) and bom.spdx.json (SPDX 3.0.1)."
    )
    table = StatementTable(("program", "version"), rows, "Programs that made this folder")
    return Statement("components", note="recorded", paragraphs=(sentence,), tables=(table,))


def calibration_data(material: Material) -> Statement:
    """Return the statement about the data that set the ranges of a quantized variant."""
    made = material.records.ancestors[0]
    digest = made.inputs.get("data", "")
    if made.step != "quantize":
        return Statement(
            "data.calibration",
            note="from the registry",
            paragraphs=("The variant was not quantized here, so no data calibrated it.",),
        )
    if not digest:
        return missing("data.calibration", "the digest of the data was not recorded")
    sentence = f"The ranges of {made.variant} were set on data with the SHA-256 {digest}."
    return Statement("data.calibration", note="from the registry", paragraphs=(sentence,))
