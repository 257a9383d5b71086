"""Shares of the processes in a run of the tests: what stays together, and what is begun first."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadFileScheduling

TOGETHER = (
    ("tests/architecture/",),
    (
        "tests/e2e/test_quality_container.py",
        "tests/e2e/test_containers.py",
        "tests/e2e/test_container_contracts.py",
        "tests/e2e/test_hybrid_rollout.py",
        "tests/e2e/test_image_load.py",
    ),
)
"""Files that share what each process would have to make for itself: the parsed sources of the whole
product, and a container engine with the layers of its images."""

LONGEST = (
    "tests/e2e/test_golden_json.py",
    "tests/e2e/test_quality_container.py",
    "tests/e2e/test_containers.py",
    "tests/e2e/test_pages.py",
    "tests/e2e/test_quality_board.py",
    "tests/e2e/test_hostile_folder.py",
    "tests/e2e/test_hostile_models.py",
    "tests/e2e/test_pipeline_runs.py",
    "tests/e2e/test_window.py",
    "tests/unit/profiling/test_board.py",
    "tests/e2e/test_board_rollout.py",
    "tests/e2e/test_cluster.py",
    "tests/e2e/test_hybrid_rollout.py",
    "tests/faults/test_sample.py",
    "tests/e2e/test_container_contracts.py",
    "tests/e2e/test_made_by_0_1.py",
    "tests/e2e/test_ocr.py",
    "tests/e2e/test_notice.py",
)
"""Files of minutes. Begun last, one of them would keep one process at work while the others have
nothing left to do."""


def sort_by_length(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first; all others keep their order."""
    places = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(_file(item.nodeid), len(places)))


class Shares(LoadFileScheduling):
    """Files to the processes, each whole, for its tests share rigs."""

    def _split_scope(self, nodeid: str) -> str:
        file = _file(nodeid)
        return next((group[0] for group in TOGETHER if file.startswith(group)), file)


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]
