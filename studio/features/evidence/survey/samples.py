"""The labelled samples that a measurement by group has seen."""

from __future__ import annotations

from studio.features.evidence.groups.chosen import chosen_samples
from studio.features.evidence.groups.sample_table import SampleTable
from studio.features.evidence.survey.views import MeasuredSamples, SampleAnswer
from studio.registry import Registry

MOST_EXPLAINED = 4
_TABLE = "samples"


def read_samples(registry: Registry, variant: int) -> MeasuredSamples:
    """Return the samples of the newest measurement of a variant; none without one.

    Raises:
        InvalidData: when the table is damaged.
        OSError: when it is gone.
    """
    for run in registry.runs("groups", variant, 1):
        if _TABLE in run.artifacts:
            table = SampleTable.read(run.artifacts[_TABLE].path)
            best = max((row.value for row in table.rows), default=0.0)
            columns = {name: table.groups_of(name) for name in table.columns}
            rows = tuple(
                SampleAnswer(
                    number,
                    row.sample,
                    row.label,
                    row.answer,
                    row.value,
                    row.value >= best,
                    row.confidence,
                    {name: group for name in columns if (group := columns[name][number])},
                )
                for number, row in enumerate(table.rows)
            )
            return MeasuredSamples(rows, chosen_samples(table, MOST_EXPLAINED))
    return MeasuredSamples()
