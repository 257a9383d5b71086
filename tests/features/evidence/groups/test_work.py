"""The step ``groups`` on the digits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from studio.api import (
    Array,
    Feeds,
    InvalidData,
    Sample,
    Silent,
    TensorType,
    UsageError,
    Value,
)
from studio.evaluation.judge import Evaluator
from studio.features.evidence.groups import texts
from studio.features.evidence.groups.fill import Grouping, answered, grouped
from studio.features.evidence.groups.measure import measure
from studio.features.evidence.groups.results import GroupsResult
from studio.features.evidence.groups.sample_table import SampleRow, SampleTable
from studio.features.evidence.groups.step import GROUPS, GroupsOptions
from studio.features.evidence.groups.watched_samples import WatchedSamples
from studio.features.evidence.groups.work import TABLE, groups, recorded
from studio.plugin_host import PluginHost
from studio.registry import ModelRef, Registry, VariantRecord
from tests.unit.quantization.conftest import DIGITS, FakeJob, options_of

DATA = DIGITS / "heldout.npz"


def options(variant: VariantRecord, **given: Any) -> GroupsOptions:
    return options_of(GROUPS, variant, **{"data": str(DATA), **given})


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "groups.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


def halves(count: int, empty: int = 0) -> str:
    rows = (f"#{k},{'first' if k < count // 2 else 'second'},{k}" for k in range(count - empty))
    return "sample,half,place\n" + "\n".join(rows) + "\n"


def test_digits_by_label(digits: VariantRecord, job: FakeJob) -> None:
    found = groups(options(digits), job)
    assert (found.samples, found.confidences, found.figure) == (450, "softmax", "accuracy")
    assert [cell.group for cell in found.groups] == [str(k) for k in range(10)]
    labels = numpy.load(DATA)["labels"]
    assert [cell.samples for cell in found.groups] == numpy.bincount(labels).tolist()
    assert found.overall.value == pytest.approx(448 / 450)
    assert found.calibration is not None
    assert 0 < found.calibration.ece < 0.05


def test_the_report_follows_from_the_table_alone(digits: VariantRecord, job: FakeJob) -> None:
    found = groups(options(digits, by=["label", "brightness:3*label"]), job)
    file = job.folder / TABLE
    assert hashlib.sha256(file.read_bytes()).hexdigest() == found.table
    report = measure(SampleTable.read(file), found.seed, [one.name for one in found.columns])
    assert report.groups == found.groups
    assert report.worst_group == found.worst_group
    assert report.calibration == found.calibration


def test_equal_runs_give_equal_reports(digits: VariantRecord, job: FakeJob) -> None:
    given = options(digits, by=["blur:4"])
    assert groups(given, job) == groups(given, job)


def test_groups_of_a_file_bands_of_its_numbers_and_a_group_without_a_sample(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    text = halves(450).replace("#449,second,449", "#449,,449")
    found = groups(
        options(digits, groups=written(tmp_path, text), by=["half", "place:2", "half*place:2"]), job
    )
    sizes = {(cell.column, cell.group): cell.samples for cell in found.groups}
    assert sizes["half", "first"] == 225
    assert sizes["half", "second"] == 224
    assert sizes["place", "0 to 224"] == 225
    assert sizes["half*place", "first * 225 to 449"] == 0
    assert "no sample" in "\n".join(texts.groups(found))


def test_a_limit_leaves_groups_without_a_sample(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    text = "sample,g\n" + "".join(f"#{k},{'last' if k == 449 else 'rest'}\n" for k in range(450))
    found = groups(options(digits, groups=written(tmp_path, text), samples=9), job)
    assert {cell.group: cell.samples for cell in found.groups} == {"last": 0, "rest": 9}
    assert found.notes == ("Not all samples of groups.csv were run: --samples is their limit.",)


def test_the_same_variant_does_not_differ(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    given = options(digits)
    given = GroupsOptions(
        **{
            **{k: getattr(given, k) for k in given.__dataclass_fields__},
            "against": ModelRef.of(digits),
        }
    )
    found = groups(given, job)
    assert found.overall.against is not None
    assert (found.overall.against.value, found.overall.against.p) == (0, 1)
    lines = "\n".join(texts.groups(found))
    assert "no significant difference" in lines
    assert "No group differs significantly" in lines


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (halves(450, empty=3), "no row for 3 of 450 samples, the first of them '#447'"),
        (halves(452), "2 samples that the data lack, the first of them '#450'"),
        (halves(450) + "#3,second,3\n", "'#3' twice"),
    ],
)
def test_a_file_that_does_not_fit_the_data_is_one_sentence(
    digits: VariantRecord, job: FakeJob, tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(InvalidData, match=words):
        groups(options(digits, groups=written(tmp_path, text)), job)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"by": ["light"]}, "no groups 'light'"),
        ({"by": ["blur:0"]}, "no number of bands"),
        ({"by": ["blur:2", "label*blur:3"]}, "two numbers of bands"),
        ({"metric": "none"}, "No metric fits"),
        ({"metric": "cosine"}, "compares with a float model"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(
    digits: VariantRecord, job: FakeJob, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        groups(options(digits, **given), job)


def test_groups_that_the_labels_do_not_allow_are_one_sentence(
    digits: VariantRecord, job: FakeJob
) -> None:
    with pytest.raises(InvalidData, match="need boxes"):
        groups(options(digits, by=["object-size"]), job)


def test_equal_samples_with_different_labels_are_named(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    data = numpy.load(DATA)
    (key,) = (one for one in data.files if one != "labels")
    twice = tmp_path / "twice.npz"
    labels = numpy.append(data["labels"][:9], (data["labels"][4] + 1) % 10)
    numpy.savez(
        twice, **{key: numpy.concatenate([data[key][:9], data[key][4:5]]), "labels": labels}
    )
    found = groups(options(digits, data=str(twice)), job)
    assert found.notes == ("The samples #4 and #9 are equal and have different labels.",)


def test_pictures_are_measured_before_the_preprocessing(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(8):
        Image.new("L", (8 + index, 8), 20 * index).save(folder / f"{index}.png")
    names = "\n".join(f"{index}.png,{index}" for index in range(8))
    (folder / "labels.csv").write_text(names, encoding="utf-8")
    (folder / "preprocess.toml").write_text(
        (DIGITS / "preprocess.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    found = groups(options(digits, data=str(folder), by=["brightness:2", "size:2"]), job)
    assert [(cell.group, cell.samples) for cell in found.groups] == [
        ("0 to 60", 4),
        ("80 to 140", 4),
        ("64 to 88", 4),
        ("96 to 120", 4),
    ]


@pytest.mark.parametrize(("required", "code"), [(None, 0), (0.5, 0), (0.999, 3)])
def test_the_worst_group_decides_the_exit_code(
    digits: VariantRecord, job: FakeJob, required: float | None, code: int
) -> None:
    found = groups(options(digits, require=required), job)
    assert texts.exit_code(found) == code


def test_the_record_keeps_the_report_and_writes_the_table(
    digits: VariantRecord, job: FakeJob, registry: Registry, tmp_path: Path
) -> None:
    given = options(digits, samples=30, table=str(tmp_path / "table.csv"))
    found: GroupsResult = recorded(registry, given, groups(given, job), job.folder)
    assert found.output == str(tmp_path / "table.csv")
    assert len(SampleTable.read(tmp_path / "table.csv").rows) == 30
    assert registry.runs("groups", digits.id)[0].result["samples"] == 30


class Boxes:
    """A model that finds the box of a picture where it is larger than 10."""

    input_names, output_names = ("x",), ("y",)

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        side = float(feeds["x"].reshape(-1)[0])
        rows = [[0.0, 0.0, side, side, 0.9, 1.0]] if side > 10 else []
        return {"y": numpy.array(rows, numpy.float32).reshape(-1, 6)}

    def close(self) -> None:
        """Nothing to free."""


class Pictures:
    """Pictures with a box each, of growing size."""

    def __len__(self) -> int:
        return 20

    def __iter__(self) -> Iterator[Sample]:
        for side in range(1, 21):
            array = numpy.full((1, 1, 4, 4), side, numpy.float32)
            yield Sample({"x": array}, f"1 0 0 {side} {side}", f"{side}.png")


def test_a_detector_by_the_size_of_its_objects() -> None:
    judge = Evaluator.choose(PluginHost.discover(), "map", Pictures(), None)
    assert judge is not None
    inputs = (Value("x", TensorType("float32", (1, 1, 4, 4))),)
    grouping = Grouping.choose(["object-size:2"], None, "")
    samples = WatchedSamples(Pictures(), grouping.attributes, inputs)
    rows, kind = answered(Boxes(), samples, judge, Silent())
    report = measure(grouped(rows, samples, grouping, whole=True))
    assert kind == ""
    assert [(c.group, c.samples, c.value) for c in report.groups] == [
        ("1 to 10", 10, 0.0),
        ("11 to 20", 10, 1.0),
    ]
    assert report.worst_group is not None
    assert report.worst_group.significant
    assert report.calibration is None


def test_small_groups_below_the_worst_are_named() -> None:
    rows = tuple(
        SampleRow(f"#{k}", float(k > 2), groups={"g": "small" if k < 4 else "big"})
        for k in range(30)
    )
    report = measure(SampleTable(rows, ("g",)))
    result = GroupsResult(
        model="m:fp32", metric="top1", title="Top-1 accuracy", samples=30, overall=report.overall,
        columns=report.columns, groups=report.groups, worst_group=report.worst_group,
        calibration=None, confidences="", against=None, table="", seed=0, least=5, required=None,
        passed=True,
    )  # fmt: skip
    assert "Lower, with fewer than 5 samples: g: small." in texts.groups(result)
