"""SageMaker's container contract and MLflow's scoring formats, asked with curl."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from tests.conformance.conftest import Ask
from tests.conformance.curl import data, send
from tests.unit.runtime.serve.rig import ServerProcess

URL = "/invocations"
X = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]]
Y = [[2.0, 4.0, 6.0], [8.0, 10.0, 13.0]]


def test_ping(ask: Ask, doubled: ServerProcess) -> None:
    for path in ("/ping", "/health"):
        answer = ask(doubled, path)
        assert (answer.status, answer.body) == (200, b"\n")
    assert ask(doubled, "/version").status == 200


@pytest.mark.parametrize(
    "document",
    [
        {"instances": X},
        {"inputs": X},
        {"inputs": {"x": X}},
        {"instances": [{"x": row} for row in X]},
        {"dataframe_split": {"columns": ["a", "b", "c"], "data": X}},
        {"dataframe_split": {"columns": ["a", "b", "c"], "index": [7, 8], "data": X}},
        {"dataframe_records": [dict(zip("abc", row, strict=True)) for row in X]},
        {"instances": X, "params": {"temperature": 1}},
    ],
)
def test_json(ask: Ask, doubled: ServerProcess, document: dict) -> None:
    for kind in ("application/json", "application/json; charset=utf-8"):
        answer = ask(doubled, URL, *data(document, kind))
        assert answer.status == 200, answer.body
        assert answer.kind == "application/json"
        assert answer.json == {"predictions": Y}


def test_several_inputs_and_outputs(ask: Ask, named: ServerProcess) -> None:
    rows = [{"a": 1, "b": 2.5, "name": "ä"}, {"a": 3, "b": -3, "name": ""}]
    wanted = [{"total": 3.5, "echo": "ä"}, {"total": 0.0, "echo": ""}]
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    split = {"columns": ["name", "b", "a", "unused"], "data": [["ä", 2.5, 1, 0], ["", -3, 3, 0]]}
    for document in (
        {"instances": rows},
        {"dataframe_records": rows},
        {"dataframe_split": split},
    ):
        assert ask(named, URL, *data(document)).json == {"predictions": wanted}
    answer = ask(named, URL, *data({"inputs": columns})).json
    assert answer == {"predictions": {"total": [3.5, 0.0], "echo": ["ä", ""]}}


def test_a_missing_number_of_a_table_is_not_a_number(ask: Ask, named: ServerProcess) -> None:
    document = {"dataframe_records": [{"a": None, "b": 1, "name": "x"}]}
    assert ask(named, URL, *data(document)).json["predictions"] == [{"total": None, "echo": "x"}]
    assert ask(named, URL, *data({"instances": document["dataframe_records"]})).status == 400


def test_csv_with_and_without_a_header(ask: Ask, doubled: ServerProcess) -> None:
    for text in ("1,2,3\n4,5,6.5\n", "a,b,c\r\n1,2,3\r\n4,5,6.5", "\ufeff1,2,3\n4,5,6.5"):
        answer = ask(doubled, URL, *data(text, "text/csv"))
        assert answer.json == {"predictions": Y}
    answer = ask(doubled, URL, *data("1,2,3\n4,5,6.5\n", "text/csv"), "-H", "Accept: text/csv")
    assert answer.kind == "text/csv; charset=utf-8"
    assert answer.body == b"2.0,4.0,6.0\n8.0,10.0,13.0\n"


def test_csv_by_names(ask: Ask, named: ServerProcess) -> None:
    text = 'name,a,b\n"x, y",1,2\nz,3,4\n'
    answer = ask(named, URL, *data(text, "text/csv; charset=utf-8"))
    assert answer.json["predictions"] == [
        {"total": 3.0, "echo": "x, y"},
        {"total": 7.0, "echo": "z"},
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64", ">f4", "int16"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(ask: Ask, doubled: ServerProcess, tmp_path: Path, dtype: str, order: str) -> None:
    array = np.asarray(X).round().astype(dtype, order=order)
    np.save(tmp_path / "x.npy", array)
    accept = ("--header", "Accept: application/x-npy")
    answer = ask(doubled, URL, *send(tmp_path / "x.npy", "application/x-npy"), *accept)
    assert answer.kind == "application/x-npy"
    found = np.load(io.BytesIO(answer.body), allow_pickle=False)
    np.testing.assert_array_equal(found, 2 * array.astype("float32"))


def test_raw_bytes(ask: Ask, doubled: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(np.float32(X).tobytes())
    answer = ask(doubled, URL, *send(tmp_path / "x", "application/octet-stream"))
    assert answer.json == {"predictions": Y}
    (tmp_path / "x").write_bytes(bytes(13))
    answer = ask(doubled, URL, *send(tmp_path / "x", "application/octet-stream"))
    assert answer.status == 400
    assert answer.json["message"].startswith("13 bytes do not make up the input 'x'")


def test_open_inference_is_taken_too(ask: Ask, doubled: ServerProcess, tmp_path: Path) -> None:
    entry = {"name": "x", "datatype": "FP32", "shape": [1, 3]}
    answer = ask(doubled, URL, *data({"inputs": [{**entry, "data": [1, 2, 3]}]}))
    assert answer.json["outputs"][0]["data"] == [2.0, 4.0, 6.0]
    head = (
        b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],'
        b'"parameters":{"binary_data_size":12}}],"parameters":{"binary_data_output":true}}'
    )
    (tmp_path / "x").write_bytes(head + np.float32([1, 2, 3]).tobytes())
    kind = "application/vnd.sagemaker-triton.binary+json;json-header-size="
    answer = ask(doubled, URL, *send(tmp_path / "x", f"{kind}{len(head)}"))
    assert answer.status == 200, answer.body
    assert answer.kind.startswith(kind)
    size = int(answer.kind.removeprefix(kind))
    assert answer.body[size:] == np.float32([2, 4, 6]).tobytes()


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        (data("{"), 400, "BAD_REQUEST"),
        (data("[1]"), 400, "BAD_REQUEST"),
        (data({}), 400, "BAD_REQUEST"),
        (data({"instances": []}), 400, "BAD_REQUEST"),
        (data({"instances": X, "inputs": X}), 400, "BAD_REQUEST"),
        (data({"instances": [[1, 2], [3]]}), 400, "BAD_REQUEST"),
        (data({"instances": [[1, 2, "3"]]}), 400, "BAD_REQUEST"),
        (data({"instances": [[1, 2]]}), 400, "BAD_REQUEST"),
        (data({"inputs": {"z": X}}), 400, "BAD_REQUEST"),
        (data("1,2\n", "text/csv"), 400, "BAD_REQUEST"),
        (data("1,2,x\n", "text/csv"), 400, "BAD_REQUEST"),
        (data("x", "application/x-npy"), 400, "BAD_REQUEST"),
        (data("x", "text/plain"), 415, "BAD_REQUEST"),
        (data("{}", "application/x-pickle"), 415, "BAD_REQUEST"),
        (data("x", "image/png"), 415, "BAD_REQUEST"),
    ],
)
def test_refusals(
    ask: Ask, doubled: ServerProcess, options: list[str], status: int, code: str
) -> None:
    answer = ask(doubled, URL, *options)
    assert answer.status == status, answer.body
    assert answer.json["error_code"] == code
    assert answer.json["message"].endswith(".")


def test_wrong_method(ask: Ask, doubled: ServerProcess) -> None:
    assert ask(doubled, URL).status == 405
    assert ask(doubled, "/ping", "--request", "POST").status == 405
