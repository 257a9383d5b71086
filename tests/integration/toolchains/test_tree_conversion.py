"""LightGBM and XGBoost in their own environment: ensembles on the data of scikit-learn."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_toolchains import install

MAKE = """
import sys
import numpy, lightgbm, xgboost
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

kind, path = sys.argv[1:]
load, lightgbm_objective, xgboost_objective = {
    "two": (load_breast_cancer, "binary", "binary:logistic"),
    "three": (load_iris, "multiclass", "multi:softprob"),
    "value": (load_diabetes, "regression", "reg:squarederror"),
}[kind]
rows, wanted = load(return_X_y=True)
rows = rows.astype(numpy.float32)
more = {"num_class": 3} if kind == "three" else {}
if path.endswith(".txt"):
    options = {"objective": lightgbm_objective, "verbose": -1, "num_leaves": 8, **more}
    names = [f"column {at}" for at in range(rows.shape[1])]
    data = lightgbm.Dataset(rows, wanted, feature_name=[name.replace(" ", "_") for name in names])
    lightgbm.train(options, data, 50).save_model(path)
else:
    options = {"objective": xgboost_objective, "max_depth": 4, **more}
    xgboost.train(options, xgboost.DMatrix(rows, wanted), 50).save_model(path)
numpy.savez(path + ".npz", x=rows[:, None])
"""


@pytest.fixture(scope="module")
def python(kept: Studio) -> Path:
    """The interpreter of the environment."""
    install(kept, "lightgbm")
    home = Path(kept.environment["EDGEWRIGHT_HOME"])
    return home / "data" / "environments" / "studio_trees" / "bin" / "python"


@pytest.mark.parametrize("suffix", ["txt", "json", "ubj"])
@pytest.mark.parametrize("kind", ["two", "three", "value"])
def test_an_ensemble_keeps_its_numbers(
    kept: Studio, python: Path, tmp_path: Path, kind: str, suffix: str
) -> None:
    path = tmp_path / f"{kind}.{suffix}"
    subprocess.run([python, "-c", MAKE, kind, path], check=True)
    found: dict[str, Any] = kept.ok("convert", path)
    (check,) = found["checks"]
    assert check["against"].split()[0] == ("LightGBM" if suffix == "txt" else "XGBoost")
    assert check["samples"] == 33
    assert check["max_error"] < 1e-5
    assert check["argmax_equal"] == (None if kind == "value" else 1.0)
    assert found["dynamic"] == {"x": ["batch"]}
    on_data = kept.ok("convert", path, "--data", f"{path}.npz")
    assert on_data["checks"][0]["max_error"] < 1e-5


def test_a_file_that_is_cut_off(kept: Studio, python: Path, tmp_path: Path) -> None:
    whole = tmp_path / "two.txt"
    subprocess.run([python, "-c", MAKE, "two", whole], check=True)
    cut = tmp_path / "cut.txt"
    cut.write_bytes(whole.read_bytes()[:3000])
    refused = kept.run("convert", cut)
    assert refused.code == 1
    assert "cut.txt" in refused.err
    assert "Traceback" not in refused.err


def test_the_shape_of_rows_cannot_be_chosen(kept: Studio, python: Path, tmp_path: Path) -> None:
    path = tmp_path / "three.json"
    subprocess.run([python, "-c", MAKE, "three", path], check=True)
    refused = kept.run("convert", path, "--input", "1,4")
    assert refused.code == 1
    assert "Trees take rows of 4 numbers" in refused.err
