"""Published rules of an accelerator as a compiler that writes nothing.

For chips whose compiler is not to be had here. A table has the operators, as the makers of the
chip or others published them. A rule looks at one node and at the types of its values. No rule
proves that a device takes the node: such a verdict has ``rules`` for its basis.
"""

from studio.api.chip_rules.compiler import RulesCompiler
from studio.api.chip_rules.node_rules import (
    FIXED,
    BrokenRule,
    NodeRule,
    OperatorTable,
    first_broken,
    folded,
    is_open,
    placed,
    read_operators,
    values_of,
    without_open_sizes,
)

__all__ = [
    "FIXED",
    "BrokenRule",
    "NodeRule",
    "OperatorTable",
    "RulesCompiler",
    "first_broken",
    "folded",
    "is_open",
    "placed",
    "read_operators",
    "values_of",
    "without_open_sizes",
]
