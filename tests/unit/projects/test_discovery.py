"""What lies beside a model is found by name, and nothing that a link leads away to."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.projects import discovery
from studio.projects.discovery import discover


def made(folder: Path, *names: str) -> Path:
    """Return a model's file with others beside it; a name that ends in / is a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("model.onnx", *names):
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
    return folder / "model.onnx"


def found(folder: Path, *names: str) -> dict[str, str]:
    paths = discover(made(folder, *names)).paths
    return {field: path.relative_to(folder).as_posix() for field, path in paths.items()}


def test_the_usual_names_are_found(tmp_path: Path) -> None:
    assert found(
        tmp_path,
        "preprocess.toml",
        "labels.txt",
        "dictionary.txt",
        "calibration.npz",
        "evaluation.npz",
        "heldout/a.png",
    ) == {
        "preprocess": "preprocess.toml",
        "labels": "labels.txt",
        "dictionary": "dictionary.txt",
        "calibration": "calibration.npz",
        "evaluation": "evaluation.npz",
        "heldout": "heldout",
    }


@pytest.mark.parametrize(
    ("names", "field", "wanted"),
    [
        (("calibration-2026.npz",), "calibration", "calibration-2026.npz"),
        (("calibration-2026.npz", "calibration.npz"), "calibration", "calibration.npz"),
        (("calib_b.npz", "calib_a.npz"), "calibration", "calib_a.npz"),
        (("val.npz",), "evaluation", "val.npz"),
        (("groups.csv", "groups.txt"), "groups", "groups.csv"),
        (("groups-old.csv",), "groups", None),
        (("classes.txt", "labels.txt"), "labels", "labels.txt"),
        (("calibration/cats/1.jpg",), "calibration", "calibration"),
        (("labels-old.txt",), "labels", None),
        (("labelmap.txt",), "label_map", "labelmap.txt"),
        (("label_map.json",), "label_map", "label_map.json"),
        (("test_model.py",), "heldout", None),
        (("test/test_model.py",), "heldout", None),
        (("calibration/",), "calibration", None),
        (("labels.txt/",), "labels", None),
        (("Calibration.npz",), "calibration", None),
    ],
)
def test_the_best_name_counts(
    names: tuple[str, ...], field: str, wanted: str | None, tmp_path: Path
) -> None:
    assert found(tmp_path, *names).get(field) == wanted


def test_a_link_that_leads_out_of_the_folder_is_passed_over(tmp_path: Path) -> None:
    secret = tmp_path / "home" / "id_rsa"
    secret.parent.mkdir()
    secret.write_text("secret")
    model = made(tmp_path / "downloaded", "names.txt")
    (model.parent / "labels.txt").symlink_to(secret)
    (model.parent / "heldout").symlink_to(secret.parent)
    (model.parent / "preprocess.toml").symlink_to("preprocess.toml")
    seen = discover(model)
    assert seen.paths == {"labels": model.parent / "names.txt"}
    assert [issue.text for issue in seen.issues] == [
        "labels.txt is a link that leads out of the model's folder."
    ]


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    model = made(tmp_path, "all/a.png")
    (tmp_path / "calibration").symlink_to("all")
    assert discover(model).paths == {"calibration": tmp_path / "calibration"}


def test_a_crowded_folder_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "_MOST_ENTRIES", 3)
    model = made(tmp_path, "labels.txt", "b", "c", "d")
    seen = discover(model)
    assert seen.paths == {}
    assert "more than 3 entries" in seen.issues[0].text


def test_a_folder_that_is_gone_has_nothing(tmp_path: Path) -> None:
    assert discover(tmp_path / "gone" / "model.onnx").paths == {}
