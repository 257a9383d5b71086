"""A check of one model for one chip: compiled, placed, and its numbers compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from studio.api import (
    ChipCompiler,
    Compiled,
    InvalidModel,
    PlacedNode,
    StudioError,
    Unavailable,
)
from studio.api.chips import RefusedModel
from studio.conversion.chips.catalogue import ChipSpec, chip_named
from studio.conversion.chips.numeric_gate import gated, refused, size_of
from studio.conversion.chips.output_comparison import GivenModel, OutputComparison
from studio.conversion.chips.overview import compiler_of, export_to
from studio.conversion.chips.results import (
    ARTEFACT,
    ChipResult,
    NodeCounts,
    RefusedNode,
    Verdict,
)
from studio.conversion.export import require_installed
from studio.conversion.targets import TARGETS
from studio.documents.text_table import counted
from studio.jobs.step import Job
from studio.models.backends import folded
from studio.models.opening import OpenedModel, read_model
from studio.models.shapes import parse
from studio.plugin_host import PluginHost


class ChipCheck:
    """The compiler of a chip, for one model after another.

    Args:
        host: Plugins.
        job: Its folder gets one for each check.
    """

    def __init__(self, chip: ChipSpec, compiler: ChipCompiler, host: PluginHost, job: Job) -> None:
        self.chip, self.compiler = chip, compiler
        self._host, self._job = host, job

    @classmethod
    def of(cls, name: str, form: str, host: PluginHost, job: Job) -> ChipCheck:
        """Return the check for a chip, with its toolchain.

        Args:
            form: Format of the models.

        Raises:
            UsageError: for an unknown chip, or a model in another format than the chip's or ONNX.
            Unavailable: when a toolchain is not installed.
        """
        chip = chip_named(name, host)
        capability = compiler_of(chip, host)
        require_installed([capability, *export_to(chip, form, host)], host)
        return cls(chip, host.create(capability), host, job)

    def run(
        self,
        model: Path,
        precision: str,
        folder: Path,
        given: GivenModel | None,
        shapes: Mapping[str, tuple[int, ...]] | None = None,
    ) -> ChipResult:
        """Compile a model, and compare its numbers.

        Args:
            model: In the chip's format.
            folder: A new one for the artefact and for temporary files.
            given: None: no outputs are compared.
            shapes: Fixed shapes of inputs with open sizes.

        Raises:
            InvalidModel: when the model cannot be read; a refusal is a result.
        """
        folder.mkdir(exist_ok=True)
        plain, model = model, folded(model, self.chip.format, self._host, folder)
        if given is not None and given.path == plain:
            given = replace(given, path=model)
        opened = self._opened(model, given, shapes)
        base = ChipResult(
            chip=self.chip.id,
            title=self.chip.title,
            verdict=Verdict.REFUSED.value,
            how=self.compiler.how,
            toolchain=f"{self.compiler.title} {self.compiler.version()}",
            format=self.chip.format,
            precision=precision,
        )
        try:
            compiled = self._compiled(model, opened, folder)
        except InvalidModel as error:
            edits = error.edits if isinstance(error, RefusedModel) else ()
            return replace(base, reason=error.message, edits=edits)
        result = _placed(compiled, len(opened.model.graph.nodes), base)
        if result.nodes.on_chip and given is not None:
            result = self._with_numbers(model, given, compiled, folder, result)
        if result.artefact and compiled.artefact:
            result = replace(result, bytes=size_of(compiled.artefact))
        return result

    def _opened(
        self, model: Path, given: GivenModel | None, shapes: Mapping[str, tuple[int, ...]] | None
    ) -> OpenedModel:
        """Open what the compiler gets; the given model where the studio reads no such format."""
        form = TARGETS.get(self.chip.format)
        if given is None or form is None or form.opens:
            return read_model(model, self._job, shapes, host=self._host)
        return read_model(given.path, self._job, parse(given.input), host=self._host)

    def _compiled(self, model: Path, opened: OpenedModel, folder: Path) -> Compiled:
        artefact, scratch = folder / ARTEFACT, folder / "compiler"
        artefact.mkdir()
        scratch.mkdir()
        output, settings = artefact / model.stem, self.chip.settings
        try:
            return self.compiler.compile(
                model, output, settings, _sizes(opened), scratch, self._job
            )
        except StudioError as error:
            if type(error) is not StudioError:
                raise
            # A compiler that crashed knows nothing of the file that it was given.
            raise InvalidModel(
                f"{self.compiler.title} ended: {error.message}", detail=error.detail
            ) from None

    def _with_numbers(
        self, model: Path, given: GivenModel, compiled: Compiled, folder: Path, result: ChipResult
    ) -> ChipResult:
        """Add the comparison of the outputs, or a warning with the reason against it."""
        try:
            comparison = OutputComparison(
                model, given, self.compiler, self._host, folder, self._job
            )
            compared = comparison.run(compiled, self.chip)
        except StudioError as error:
            if type(error) not in (InvalidModel, RefusedModel, Unavailable, StudioError):
                raise  # what crashed has compiled the model, so the verdict stands
            if self.chip.gate is not None:
                return refused(self.chip, result, error.message)
            return _warned(result, f"Outputs not compared: {error.message}")
        numbers = compared.numbers
        for text in compared.warnings:
            result = _warned(result, text)
        if (left := compared.given - numbers.samples) > 0:
            slow = f"not compared: {self.compiler.title} is slow here."
            result = _warned(result, f"{counted(left, 'sample')} {slow}")
        return gated(self.chip, result, numbers)


def _placed(compiled: Compiled, nodes: int, base: ChipResult) -> ChipResult:
    """Return the result with the placement of the nodes."""
    fallback = [node for node in compiled.nodes if not node.on_chip]
    counts = _counts(compiled, nodes)
    verdict = Verdict.PARTLY if fallback else Verdict.RUNS
    return replace(
        base,
        verdict=(verdict if counts.on_chip else Verdict.REFUSED).value,
        how=compiled.how or base.how,
        nodes=counts,
        refused=tuple(_refused(one) for one in fallback),
        artefact=compiled.artefact.name if compiled.artefact else "",
        estimate=compiled.estimate,
        warnings=compiled.warnings,
        edits=compiled.edits,
    )


def _refused(node: PlacedNode) -> RefusedNode:
    return RefusedNode(
        node.name,
        node.operator,
        node.reason,
        node.remedy,
        preset=node.preset,
        edits=node.edits,
        keep_float=node.keep_float,
    )


def _counts(compiled: Compiled, nodes: int) -> NodeCounts:
    """Count the nodes; a compiler that names refused ones alone refuses the model with them."""
    on_chip = sum(node.on_chip for node in compiled.nodes)
    if compiled.nodes and not on_chip:
        return NodeCounts(nodes, 0, nodes)
    total = len(compiled.nodes) or nodes
    return NodeCounts(total, on_chip or total, total - (on_chip or total))


def _sizes(opened: OpenedModel) -> dict[str, tuple[int, ...]]:
    """Return the sizes of the inputs; open ones as they are assumed."""
    shapes = {
        value.name: value.type.shape
        for value in opened.sized.graph.inputs
        if value.type is not None and value.type.shape is not None
    }
    return {
        name: tuple(size if isinstance(size, int) else 1 for size in shape)
        for name, shape in shapes.items()
    }


def _warned(result: ChipResult, text: str) -> ChipResult:
    return replace(result, warnings=(*result.warnings, text))
