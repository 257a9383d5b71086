"""Pickled models of scikit-learn, written and read by scikit-learn itself."""

from __future__ import annotations

import json
import pickle
import socket
import subprocess
from pathlib import Path
from typing import Any

import onnx
import pytest

from tests.e2e.conftest import Studio
from tests.e2e.test_without_bubblewrap import hide_bubblewrap
from tests.integration.toolchains.test_toolchains import install

MAKE = r"""
import gzip, pickle, sys, warnings
import joblib, lightgbm, numpy, pandas, xgboost
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (GradientBoostingClassifier, HistGradientBoostingClassifier,
    IsolationForest, RandomForestClassifier, RandomForestRegressor, VotingClassifier)
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (FunctionTransformer, KBinsDiscretizer, OneHotEncoder,
    StandardScaler)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

warnings.simplefilter("ignore")
name, path = sys.argv[1:]
three, two, value = load_iris(as_frame=True), load_breast_cancer(), load_diabetes()
kinds = numpy.array(["setosa", "versicolor", "virginica"])[three.target]
table = pandas.DataFrame({
    "age": [20, 30, 40, 50, 25, 35, 45, 55] * 10,
    "city": ["Rome", "Oslo", None, "Rome"] * 20,
    "Income, EUR": numpy.linspace(1, 9, 80),
    "note": ["good red car", "bad blue bike", "red bike good", "blue car, über"] * 20,
    "file": numpy.linspace(-1, 1, 80),
    "unused": range(80),
})
buys = numpy.array([0, 1, 1, 0] * 20)
numbers = make_pipeline(SimpleImputer(), StandardScaler())
texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
columns = [("n", numbers, ["age", "Income, EUR"]), ("c", texts, ["city"]),
           ("p", "passthrough", ["file"])]
trees = [("tree", DecisionTreeClassifier()), ("line", LogisticRegression())]

class Mine(LogisticRegression):
    pass

rows, short = three.data.to_numpy(), two.data[:, :8]
model, *data = {
    "logistic": (make_pipeline(StandardScaler(), LogisticRegression()), three.data, three.target),
    "words": (RandomForestClassifier(20), rows, kinds),
    "forest": (RandomForestClassifier(20), short, two.target),
    "boosting": (GradientBoostingClassifier(n_estimators=9), short, two.target),
    "histogram": (HistGradientBoostingClassifier(max_iter=9), rows, three.target),
    "search": (GridSearchCV(make_pipeline(StandardScaler(), SVC(probability=True)),
                            {"svc__C": [1]}), short, two.target),
    "vectors": (SVC(), short, two.target),
    "linear": (LinearSVC(), rows, three.target),
    "two": (LinearSVC(), short, two.target),
    "ridge": (RidgeClassifier(), short, two.target),
    "discriminant": (LinearDiscriminantAnalysis(), short, two.target),
    "bins": (make_pipeline(KBinsDiscretizer(4), LogisticRegression()), rows, three.target),
    "neighbors": (KNeighborsClassifier(), rows, three.target),
    "votes": (VotingClassifier(trees, voting="soft"), rows, three.target),
    "lightgbm": (lightgbm.LGBMClassifier(n_estimators=9, verbose=-1), rows, three.target),
    "xgboost": (make_pipeline(StandardScaler(), xgboost.XGBClassifier(n_estimators=9)),
                short, two.target),
    "value": (RandomForestRegressor(9), value.data, value.target),
    "values": (Ridge(), value.data, numpy.stack([value.target, -value.target], 1)),
    "clusters": (KMeans(3), rows, None),
    "outliers": (IsolationForest(n_estimators=9), rows, None),
    "components": (PCA(2), rows, None),
    "columns": (make_pipeline(ColumnTransformer(columns), LogisticRegression()), table, buys),
    "mixed": (make_pipeline(ColumnTransformer([("c", OneHotEncoder(), [1]),
                                               ("n", StandardScaler(), [0, 2])]),
                            LogisticRegression()), table.to_numpy(dtype=object), buys),
    "note": (make_pipeline(ColumnTransformer([("t", TfidfVectorizer(), "note")]),
                           LogisticRegression()), table, buys),
    "texts": (make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()),
              table["note"], buys),
    "hashes": (make_pipeline(HashingVectorizer(), LogisticRegression()), table["note"], buys),
    "function": (make_pipeline(FunctionTransformer(numpy.log1p), LogisticRegression()),
                 rows, three.target),
    "mine": (Mine(), rows, three.target),
    "unfitted": (LogisticRegression(),),
    "dictionary": ({"model": 1},),
    "class": (LogisticRegression,),
}[name]
if data:
    model.fit(*data)
if path.endswith("joblib"):
    joblib.dump(model, path, compress=3)
elif path.endswith("gz"):
    gzip.open(path, "wb").write(pickle.dumps(model))
else:
    pickle.dump(model, open(path, "wb"))
if name == "forest":
    numpy.savez(path + ".npz", x=two.data[:40, None, :8].astype("float32"))
"""


@pytest.fixture(scope="module")
def make(kept: Studio, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``make(name, suffix)``: the pickle of a model, written in the environment."""
    install(kept, "scikit-learn")
    home = Path(kept.environment["EDGEWRIGHT_HOME"])
    python = home / "data" / "environments" / "studio_trees" / "bin" / "python"
    folder = tmp_path_factory.mktemp("pickles")

    def made(name: str, suffix: str = "pkl") -> Path:
        path = folder / f"{name}.{suffix}"
        subprocess.run([python, "-c", MAKE, name, path], check=True)
        return path

    return made


def metadata_of(path: str) -> dict[str, str]:
    return {one.key: one.value for one in onnx.load(path).metadata_props}


@pytest.mark.parametrize(
    ("name", "suffix", "outputs"),
    [
        ("logistic", "pkl", ["label", "probabilities"]),
        ("words", "joblib", ["label", "probabilities"]),
        ("forest", "pkl.gz", ["label", "probabilities"]),
        ("boosting", "pickle", ["label", "probabilities"]),
        ("histogram", "joblib", ["label", "probabilities"]),
        ("search", "joblib", ["label", "probabilities"]),
        ("vectors", "joblib", ["label", "scores"]),
        ("linear", "joblib", ["label", "scores"]),
        ("two", "joblib", ["label", "scores"]),
        ("ridge", "joblib", ["label", "scores"]),
        ("discriminant", "joblib", ["label", "probabilities"]),
        ("bins", "joblib", ["label", "probabilities"]),
        ("neighbors", "joblib", ["label", "probabilities"]),
        ("votes", "joblib", ["label", "probabilities"]),
        ("lightgbm", "joblib", ["label", "probabilities"]),
        ("xgboost", "joblib", ["label", "probabilities"]),
        ("value", "joblib", ["variable"]),
        ("values", "joblib", ["variable"]),
        ("clusters", "joblib", ["label", "scores"]),
        ("outliers", "joblib", ["label", "scores"]),
        ("components", "joblib", ["variable"]),
    ],
)
def test_an_estimator_keeps_its_numbers(
    kept: Studio, make: Any, name: str, suffix: str, outputs: list[str]
) -> None:
    found = kept.ok("convert", make(name, suffix), "--run-code", timeout=300)
    (check,) = found["checks"]
    assert check["against"] == "scikit-learn 1.9.1"
    assert check["samples"] == 33
    assert check["max_error"] < 1e-4
    assert check["argmax_equal"] in (None, 1.0)
    assert found["dynamic"] == {"x": ["batch"]}
    assert found["warnings"] == []
    summary = kept.ok("inspect", found["output"])
    assert [one["name"] for one in summary["outputs"]] == outputs
    assert summary["outputs"][0]["shape"][0] == "batch"
    if outputs[0] == "label":
        assert summary["outputs"][0]["shape"] == ["batch"]


def test_names_of_features_and_classes_are_in_the_metadata(kept: Studio, make: Any) -> None:
    found = kept.ok("convert", make("logistic"), "--run-code", timeout=300)
    metadata = metadata_of(found["output"])
    features = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    assert json.loads(metadata["features"]) == features
    assert json.loads(metadata["classes"]) == ["0", "1", "2"]
    found = kept.ok("convert", make("words"), "--run-code", timeout=300)
    metadata = metadata_of(found["output"])
    assert json.loads(metadata["classes"]) == ["setosa", "versicolor", "virginica"]


def test_the_samples_of_the_user_are_compared(kept: Studio, make: Any) -> None:
    path = make("forest")
    found = kept.ok("convert", path, "--run-code", "--data", f"{path}.npz", timeout=300)
    assert found["checks"][0]["samples"] == 4
    assert found["checks"][0]["max_error"] < 1e-5


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        (
            "columns",
            {"age": "float32", "city": "string", "Income, EUR": "float32", "file": "float32"},
        ),
        ("mixed", {"x0": "float32", "x1": "string", "x2": "float32"}),
        ("note", {"note": "string"}),
        ("texts", {"x": "string"}),
    ],
)
def test_columns_of_a_table_and_texts_are_inputs(
    kept: Studio, make: Any, name: str, inputs: dict[str, str]
) -> None:
    found = kept.ok("convert", make(name), "--run-code", timeout=300)
    assert found["warnings"] == []
    assert found["checks"][0]["max_error"] < 1e-5
    assert found["checks"][0]["argmax_equal"] == 1.0
    summary = kept.ok("inspect", found["output"])
    assert {one["name"]: one["dtype"] for one in summary["inputs"]} == inputs
    assert all(one["shape"] == ["batch", 1] for one in summary["inputs"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hashes", "ONNX has no form of its step HashingVectorizer."),
        ("function", "FunctionTransformer is not supported"),
        ("mine", "the code of Mine is not in the file; convert it by skl2onnx where that code is."),
        ("unfitted", "LogisticRegression that is not fitted."),
        ("dictionary", "holds an object of the type dict, which is no estimator"),
        ("class", "which is no estimator of scikit-learn"),
    ],
)
def test_what_has_no_onnx_form_is_named(kept: Studio, make: Any, name: str, words: str) -> None:
    refused = kept.run("convert", make(name), "--run-code", timeout=300)
    assert refused.code == 1
    assert words in refused.err
    assert "Traceback" not in refused.err


def test_the_features_cannot_be_chosen(kept: Studio, make: Any) -> None:
    refused = kept.run("convert", make("words"), "--run-code", "--input", "1,4", timeout=300)
    assert refused.code == 1
    assert "The inputs of a scikit-learn model are its features, as fitted." in refused.err


def test_a_pickle_of_another_version_is_a_warning(kept: Studio, make: Any, tmp_path: Path) -> None:
    old = tmp_path / "old.pkl"
    content = make("logistic").read_bytes()
    assert b"1.9.1" in content
    old.write_bytes(content.replace(b"1.9.1", b"1.5.2"))
    found = kept.ok("convert", old, "--run-code", timeout=300)
    assert "old.pkl was saved by scikit-learn 1.5.2 and read by 1.9.1" in found["warnings"][0]
    assert len(found["warnings"]) == 1
    assert found["checks"][0]["max_error"] < 1e-5


@pytest.mark.parametrize("size", [20, 500])
@pytest.mark.parametrize("suffix", ["pkl", "joblib", "pkl.gz"])
def test_a_pickle_that_is_cut_off(
    kept: Studio, make: Any, tmp_path: Path, suffix: str, size: int
) -> None:
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(make("logistic", suffix).read_bytes()[:size])
    refused = kept.run("convert", cut, "--run-code", timeout=300)
    assert refused.code == 1
    assert f"cut.{suffix} cannot be loaded: it is cut off or damaged." in refused.err


def test_a_module_that_is_not_installed_is_named(kept: Studio, make: Any, tmp_path: Path) -> None:
    path = tmp_path / "far.pkl"
    path.write_bytes(b"\x80\x04cour_models.churn\nNet\n.")
    refused = kept.run("convert", path, "--run-code", timeout=300)
    assert refused.code == 1
    assert "the code of the module our_models is not in the file" in refused.err


class Hostile:
    """An object whose pickle runs code."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> Any:
        return exec, (self.code, {})


REACHES = r"""
import os, socket
port, marker, home, environments, source = {}
def can(reach):
    try:
        reach()
    except OSError:
        return False
    return True
def write(path):
    with open(path, "w") as file:
        file.write("escaped")
found = [
    can(lambda: socket.create_connection(("127.0.0.1", port), 5)),
    can(lambda: write(marker)),
    can(lambda: write(source)),
    can(lambda: os.listdir(home)) and bool(os.listdir(home)),
    can(lambda: write(os.path.join(environments, "escaped"))),
    can(lambda: open("/etc/passwd").close()),
]
raise RuntimeError(f"It reaches {{found}}")
"""


@pytest.mark.parametrize("level", ["bubblewrap", "landlock"])
def test_code_of_a_pickle_reaches_nothing(
    kept: Studio, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    if level == "landlock":
        monkeypatch.setattr(kept, "environment", dict(kept.environment))
        (tmp_path / "programs").mkdir()
        hide_bubblewrap(kept, tmp_path / "programs")
    source, marker = tmp_path / "evil.pkl", tmp_path / "escaped"
    environments = Path(kept.environment["EDGEWRIGHT_HOME"]) / "data" / "environments"
    (kept.user / "secret").write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as server:
        places = (str(marker), str(kept.user), str(environments), str(source))
        code = REACHES.format((server.getsockname()[1], *places))
        source.write_bytes(content := pickle.dumps(Hostile(code)))
        refused = kept.run("convert", source)
        assert refused.code == 4
        assert "It reaches" not in refused.err
        refused = kept.run("convert", source, "--run-code", timeout=300)
    assert refused.code == 1
    assert "cannot be loaded: It reaches [False, False, False, False, False, False]." in refused.err
    assert source.read_bytes() == content
    assert not marker.exists()
    assert not (environments / "escaped").exists()
