"""Node of a kernel, from the values that it reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from studio.lazy_dataclass import dataclass
from studio.profiling.owners import Owner, Owners
from studio.runtime.bench.facts import Kernel

LAYOUT = frozenset({"ReorderInput", "ReorderOutput", "Reorder"})
"""Operators that the runtime added for its own layout."""

HEAVY = frozenset({
    *("Conv", "ConvTranspose", "ConvInteger", "QLinearConv"),
    *("MatMul", "MatMulInteger", "QLinearMatMul", "Gemm", "Einsum", "Attention"),
    *("LSTM", "GRU", "RNN", "Scan", "Loop", "If"),
    *("Resize", "Softmax", "LayerNormalization"),
})  # fmt: skip
"""Operators that a fused kernel is for; what was fused into it is mostly cheap."""

_FAR = 24
"""Kernels between an added one and a known one; beyond this nothing is guessed."""


@dataclass(frozen=True, slots=True)
class KernelMatch:
    """Match of a kernel to a node.

    Attributes:
        fused: Names of further nodes that it computes.
        is_neighbour: The runtime added the kernel next to this node; it computes no node.
    """

    owner: Owner
    fused: tuple[str, ...] = ()
    is_neighbour: bool = False


class KernelGraph:
    """The kernels of one inference as a graph; without their values, names alone decide."""

    def __init__(
        self, kernels: Sequence[Kernel], owners: Owners, nameless: Mapping[str, Owner]
    ) -> None:
        self._owners = owners
        self._nameless = nameless
        self._makers = {value: each for each in kernels for value in _named(each.outputs)}
        self._takers: dict[str, list[Kernel]] = {}
        for kernel in kernels:
            for value in _named(kernel.inputs):
                self._takers.setdefault(value, []).append(kernel)
        direct = [self._head(each) for each in kernels if each.operator not in LAYOUT]
        made = {value for owner in direct if owner for value in owner.node.outputs}
        self._made = frozenset(self._makers) | frozenset(made)

    def match(self, kernel: Kernel) -> KernelMatch | None:
        """Return the node of a kernel, or None."""
        head = None if kernel.operator in LAYOUT else self._head(kernel)
        if head is not None:
            return self._anchored(kernel, head)
        owner = self._neighbour(kernel)
        return None if owner is None else KernelMatch(owner, is_neighbour=True)

    def _head(self, kernel: Kernel) -> Owner | None:
        """Return the node whose result the kernel computes."""
        name = kernel.name
        if name in self._nameless:
            return self._nameless[name]
        exact = self._owners.by_name.get(name)
        if exact is not None and exact.within:
            return exact  # what is inlined last makes the value of the node that holds it
        made = self._owner_of_outputs(kernel)
        return made if made is not None else self._owners.named(name)

    def _owner_of_outputs(self, kernel: Kernel) -> Owner | None:
        """Return the node of its outputs, also where a change of layout names them."""
        for value in _named(kernel.outputs):
            names = [value]
            for taker in self._takers.get(value, ()):
                if taker.operator == "ReorderOutput":
                    names += _named(taker.outputs)
            for name in names:
                owner = self._owners.by_value.get(name)
                if owner is not None:
                    return owner
        return None

    def _anchored(self, kernel: Kernel, head: Owner) -> KernelMatch:
        """Return the node that takes most of a fused kernel's time."""
        outputs = _named(kernel.outputs)
        if not outputs:
            return KernelMatch(head)
        ends = (self._made - frozenset(head.node.outputs)) | frozenset(_named(kernel.inputs))
        covered = self._owners.covered(head, ends)
        named = self._owners.by_name.get(kernel.name)
        anchor = min(
            covered,
            key=lambda owner: (
                owner.node.operator not in HEAVY,
                owner.node.operator not in kernel.operator,
                named is None or owner.key != named.key,
                owner.key != head.key,
            ),
        )
        fused = tuple(owner.name for owner in covered if owner.key != anchor.key)
        return KernelMatch(anchor, fused)

    def _neighbour(self, kernel: Kernel) -> Owner | None:
        """Return the node that an added kernel serves: the first known one behind or before it."""
        output_first = kernel.operator != "ReorderOutput"
        first, second = (
            (self._behind, self._before) if output_first else (self._before, self._behind)
        )
        return first(kernel) or second(kernel)

    def _behind(self, kernel: Kernel) -> Owner | None:
        return self._search(
            kernel,
            lambda each: [
                taker for value in _named(each.outputs) for taker in self._takers.get(value, ())
            ],
        )

    def _before(self, kernel: Kernel) -> Owner | None:
        return self._search(
            kernel,
            lambda each: [
                self._makers[value] for value in _named(each.inputs) if value in self._makers
            ],
        )

    def _search(self, kernel: Kernel, step: Callable[[Kernel], list[Kernel]]) -> Owner | None:
        """Return the nearest kernel with a node, breadth first."""
        waiting, seen = list(step(kernel)), 0
        while waiting and seen < _FAR:
            each = waiting.pop(0)
            seen += 1
            head = None if each.operator in LAYOUT else self._head(each)
            if head is not None:
                return self._anchored(each, head).owner
            waiting += step(each)
        return None


def _named(values: Sequence[str]) -> list[str]:
    """Return values with a name; an omitted optional input has none."""
    return [value for value in values if value]
