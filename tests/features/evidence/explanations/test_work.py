"""The step explain on real models: pictures, rows, tokens, boxes, variants and bad input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy
import onnx
import PIL.Image
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import InvalidData, InvalidModel, StudioError, UsageError, validate
from studio.documents.dataclass_json import from_json, to_json
from studio.features.evidence.explanations.agreement import points_at
from studio.features.evidence.explanations.record import explained, prepared
from studio.features.evidence.explanations.results import ExplainResult
from studio.features.evidence.explanations.step import EXPLAIN, ExplainOptions
from studio.features.evidence.explanations.texts import explained as lines_of
from studio.features.evidence.explanations.work import explain
from studio.registry import ModelRef, Registry, VariantRecord, file_digest
from studio.samples.catalogue import MADE
from studio.samples.step import SampleOptions
from studio.samples.street.pictures import StreetCamera
from studio.samples.street.scene import street
from studio.samples.work import make
from studio.settings import resource
from tests.rigs.model_refs import model_ref
from tests.unit.quantization.conftest import DIGITS, FakeJob

pytestmark = pytest.mark.slow

HELDOUT = DIGITS / "heldout.npz"
DETECTOR = resource("samples", "traffic") / "detector"


def options(model: ModelRef, data: Path, **given: Any) -> ExplainOptions:
    """Checked options as the work gets them."""
    against = [one.to_json() for one in given.pop("against", [])]
    checked = validate(EXPLAIN.form, {**given, "data": str(data), "model": "m", "target": "local"})
    return EXPLAIN.options_of(
        {**checked, "model": model.to_json(), "against": against, "target": None}
    )


def run(model: ModelRef, data: Path, job: FakeJob, **given: Any) -> ExplainResult:
    result = explain(options(model, data, **given), job)
    assert from_json(ExplainResult, to_json(result)) == result  # it travels as JSON
    return result


def refused(model: ModelRef, data: Path, job: FakeJob, **given: Any) -> StudioError:
    with pytest.raises(StudioError) as caught:
        explain(options(model, data, **given), job)
    return caught.value


def network(folder: Path, nodes: list[Any], x: Any, y: Any, weights: dict[str, Any]) -> ModelRef:
    graph = helper.make_graph(
        nodes, "g", [x], [y], [numpy_helper.from_array(*pair[::-1]) for pair in weights.items()]
    )
    opset = [helper.make_opsetid("", 17)]
    path = folder / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), str(path))
    return model_ref(path)


def linear_rows(folder: Path, count: int = 6) -> ModelRef:
    weights = numpy.arange(1, count + 1, dtype=numpy.float32)[:, None]
    value = helper.make_tensor_value_info
    return network(
        folder,
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        value("x", TensorProto.FLOAT, ["n", count]),
        value("y", TensorProto.FLOAT, ["n", 1]),
        {"w": weights},
    )


def token_counter(folder: Path) -> ModelRef:
    """A text model whose second class counts the token 3; its batch is fixed to one."""
    table = numpy.zeros((10, 2), dtype=numpy.float32)
    table[3, 1] = 2
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("ReduceMean", ["rows"], ["y"], axes=[1], keepdims=0),
    ]
    return network(
        folder,
        nodes,
        value("ids", TensorProto.INT64, [1, 5]),
        value("y", TensorProto.FLOAT, [1, 2]),
        {"table": table},
    )


def test_a_picture_gets_a_map_with_figures(digits: VariantRecord, job: FakeJob) -> None:
    result = run(ModelRef.of(digits), HELDOUT, job, sample=["3"], evaluations=600)
    (sample,) = result.samples
    assert (sample.name, sample.kind, sample.method) == ("#3", "picture", "rise")
    assert sample.score > 0.9
    assert sample.evaluations == 600
    assert sample.stability is not None
    assert sample.stability > 0.8
    assert sample.curves is not None
    assert sample.curves.deletion < sample.curves.insertion
    with numpy.load(job.folder / result.maps) as maps:
        assert maps[sample.map].shape == (8, 8)
    with PIL.Image.open(job.folder / result.output) as picture:
        assert picture.width > 400
    assert result.data_digest == file_digest(HELDOUT)
    assert result.digest == digits.digest


def test_equal_seeds_give_equal_bytes(digits: VariantRecord, tmp_path: Path) -> None:
    files = []
    for seed in (1, 1, 2):
        folder = tmp_path / f"job-{len(files)}"
        folder.mkdir()
        job = FakeJob(folder)
        result = run(ModelRef.of(digits), HELDOUT, job, sample=["0,7"], evaluations=100, seed=seed)
        files.append((result.maps_digest, file_digest(folder / result.output)))
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_a_variant_looks_at_the_same_places(digits: VariantRecord, job: FakeJob) -> None:
    model = ModelRef.of(digits)
    result = run(model, HELDOUT, job, sample=["3"], evaluations=200, against=[model])
    ((one,),) = (sample.against for sample in result.samples)
    assert one.rank_correlation == 1
    assert one.top_overlap == 1


def test_maps_change_when_weights_are_shuffled(digits: VariantRecord, job: FakeJob) -> None:
    result = run(ModelRef.of(digits), HELDOUT, job, sample=["3"], evaluations=300, sanity=True)
    (sample,) = result.samples
    assert sample.sanity is not None
    assert len(set(sample.sanity.rank_correlations)) == 3
    assert sample.sanity.passed
    assert result.sanity is True


def test_features_of_a_linear_model_have_their_exact_share(tmp_path: Path, job: FakeJob) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("a,b,c,d,e,f\n1,1,1,1,1,1\n3,3,3,3,3,3\n2,0,2,2,2,bad\n", encoding="utf-8")
    broken = refused(linear_rows(tmp_path), data, job, sample=["0"])
    assert broken.message == "Row 2 of rows.csv has no number in the column 'f'."
    data.write_text("a,b,c,d,e,f\n1,1,1,1,1,1\n3,3,3,3,3,3\n2,0,2,2,2,nan\n", encoding="utf-8")
    result = run(linear_rows(tmp_path), data, job, sample=["1"])
    (sample,) = result.samples
    assert sample.method == "shapley"
    assert [one.name for one in sample.features] == list("abcdef")
    assert [one.share for one in sample.features] == pytest.approx([1, 2, 3, 4, 5, 6])
    assert sample.reference_score == pytest.approx(42)
    assert any("f" in line for line in lines_of(result))


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_the_reference_is_the_mean_of_all_rows(tmp_path: Path, job: FakeJob, suffix: str) -> None:
    rows = numpy.square(numpy.arange(1000, dtype=numpy.float32))[:, None].repeat(6, axis=1)
    data = tmp_path / f"rows{suffix}"
    if suffix == ".npz":
        numpy.savez(data, x=rows)
    else:
        numpy.savetxt(data, rows, delimiter=",", header="a,b,c,d,e,f", comments="")
    (sample,) = run(linear_rows(tmp_path), data, job, sample=["3"]).samples
    assert sample.reference_score == pytest.approx(21 * rows.mean(dtype=float), rel=1e-5)


def test_the_nearest_row_of_another_class_is_named(tmp_path: Path, job: FakeJob) -> None:
    value = helper.make_tensor_value_info
    model = network(
        tmp_path,
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        value("x", TensorProto.FLOAT, ["n", 2]),
        value("y", TensorProto.FLOAT, ["n", 2]),
        {"w": numpy.array([[1, -1], [0, 0]], dtype=numpy.float32)},
    )
    data = tmp_path / "rows.csv"
    data.write_text("a,b\n2,5\n1,5\n-9,5\n-1,5\n", encoding="utf-8")
    result = run(model, data, job, sample=["0"])
    other = result.samples[0].counterfactual
    assert other is not None
    assert (other.name, other.label) == ("#3", "1")
    assert [(one.name, one.value, one.other) for one in other.changes] == [("a", 2, -1)]
    assert any("a 2 to -1" in line for line in lines_of(result))


def test_rows_of_the_triage_sample_are_explained_by_name(job: FakeJob) -> None:
    make(SampleOptions("triage"), job)
    folder = job.folder / MADE
    model = model_ref(folder / "risk" / "model.onnx")
    result = run(model, folder / "patients.csv", job, sample=["20"])
    (sample,) = result.samples
    total = sum(one.share for one in sample.features)
    assert total == pytest.approx(sample.score - sample.reference_score, abs=1e-4)
    assert sample.features[-1].name == "glasgow_coma_scale"


def test_tokens_of_a_text_are_left_out_one_by_one(tmp_path: Path, job: FakeJob) -> None:
    data, words = tmp_path / "ids.npy", tmp_path / "words.txt"
    numpy.save(data, numpy.array([[1, 3, 2, 5, 1]], dtype=numpy.int64))
    words.write_text("\n".join("abcdefghij"), encoding="utf-8")
    given = {"class": "1", "score": "output", "vocabulary": str(words)}
    result = run(token_counter(tmp_path), data, job, **given)
    (sample,) = result.samples
    assert (sample.kind, sample.method) == ("text", "occlusion")
    assert [one.name for one in sample.features] == list("bdcfb")
    assert [one.share for one in sample.features] == pytest.approx([0, 0.4, 0, 0, 0], abs=1e-5)


def test_a_box_of_a_detector_is_found_again(tmp_path: Path, job: FakeJob) -> None:
    pictures = tmp_path / "street"
    pictures.mkdir()
    camera = StreetCamera(street(5))
    PIL.Image.fromarray(camera.picture(22.0)).save(pictures / "22.png")
    shutil.copy(DETECTOR / "preprocess.toml", pictures)
    result = run(
        model_ref(DETECTOR / "detector.onnx"),
        pictures,
        job,
        sample=["22.png"],
        evaluations=160,
        outputs=str(DETECTOR / "outputs.toml"),
        labels=str(DETECTOR / "labels.txt"),
    )
    (sample,) = result.samples
    assert (sample.method, sample.label) == ("drise", "person")
    assert sample.box is not None
    left, top, right, bottom = sample.box
    with numpy.load(job.folder / result.maps) as maps:
        values = maps[sample.map]
    assert points_at(values, (left - 30, top - 30, right + 30, bottom + 30))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"sample": ["450"]}, "The data has no sample '450'; it has 450 samples."),
        ({"sample": ["../x"]}, "The data has no sample '../x'; it has 450 samples."),
        ({"sample": [","]}, "The option --sample is empty."),
        ({"sample": [",".join(map(str, range(17)))]}, "17 samples are too many; one run explains"),
        ({"class": "10"}, "The model has no class '10'; its 10 classes start at 0."),
        ({"class": "²"}, "The model has no class '²'; its 10 classes start at 0."),
        ({"evaluations": 8}, "RISE needs at least 16 evaluations here, and the bound is 8."),
        ({"method": "drise"}, "D-RISE explains a detector, and the model has no outputs.toml"),
    ],
)
def test_bad_input_is_one_sentence(
    digits: VariantRecord, job: FakeJob, given: dict[str, Any], sentence: str
) -> None:
    error = refused(ModelRef.of(digits), HELDOUT, job, **given)
    assert isinstance(error, UsageError)
    assert error.message.startswith(sentence)


def test_data_that_does_not_fit_is_one_sentence(
    digits: VariantRecord, tmp_path: Path, job: FakeJob
) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("a,b\n1,2\n", encoding="utf-8")
    error = refused(ModelRef.of(digits), data, job)
    assert isinstance(error, InvalidData)
    assert "1×2" in error.message


def test_a_model_without_scores_is_one_sentence(tmp_path: Path, job: FakeJob) -> None:
    value = helper.make_tensor_value_info
    model = network(
        tmp_path,
        [helper.make_node("Relu", ["x"], ["y"])],
        value("x", TensorProto.FLOAT, ["n", 3, 8, 8]),
        value("y", TensorProto.FLOAT, ["n", 3, 8, 8]),
        {},
    )
    data = tmp_path / "x.npy"
    numpy.save(data, numpy.ones((1, 3, 8, 8), dtype=numpy.float32))
    error = refused(model, data, job)
    assert isinstance(error, InvalidModel)
    assert error.message == (
        "The model has no scores of classes to explain: its outputs are y [1, 3, 8, 8]."
    )


def test_the_record_keeps_maps_and_writes_the_copy(
    registry: Registry, digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    out = tmp_path / "page.html"
    chosen = options(ModelRef.of(digits), HELDOUT, evaluations=50, out=str(out))
    final = explained(registry, prepared(registry, chosen), explain(chosen, job), job.folder)
    assert final.output == str(out)
    assert Path(final.maps).is_file()
    page = out.read_text(encoding="utf-8")
    assert final.maps_digest == file_digest(Path(final.maps))
    assert final.data_digest in page
    (kept,) = registry.runs("explain", digits.id)
    assert json.loads(json.dumps(kept.result))["maps_digest"] == final.maps_digest


def test_another_suffix_is_refused_before_anything_runs(
    registry: Registry, digits: VariantRecord, tmp_path: Path
) -> None:
    chosen = options(ModelRef.of(digits), HELDOUT, out=str(tmp_path / "map.gif"))
    with pytest.raises(UsageError, match=r"map\.gif is no drawing"):
        prepared(registry, chosen)


def test_colours_are_drawn_as_in_the_file_of_the_picture(tmp_path: Path, job: FakeJob) -> None:
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["y"]),
    ]
    model = network(
        tmp_path,
        nodes,
        value("x", TensorProto.FLOAT, [1, 3, 16, 16]),
        value("y", TensorProto.FLOAT, [1, 3]),
        {},
    )
    data = tmp_path / "pictures"
    data.mkdir()
    red = numpy.zeros((16, 16, 3), dtype=numpy.uint8)
    red[4:12, 4:12, 0] = 255
    PIL.Image.fromarray(red).save(data / "red.png")
    (data / "preprocess.toml").write_text('width = 16\nheight = 16\ncolor = "BGR"\n')
    result = run(model, data, job, sample=["0"], evaluations=50)
    with numpy.load(job.folder / result.maps) as maps:
        numpy.testing.assert_array_equal(maps["sample-0-pixels"], red)
