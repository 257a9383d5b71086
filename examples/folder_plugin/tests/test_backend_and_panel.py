"""The backend's runner and the panel, without a studio around them."""

import numpy
import onnx
from folder_plugin.backend import Reference
from folder_plugin.panel import FoldersPanel
from folder_plugin.runner import load
from onnx import TensorProto, helper

from studio.api import TargetSpec
from studio.api.testing import check_backend
from studio.api.testing_panels import NotingHost, check_panel


def model(folder):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "twice", [x], [y])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), folder / "twice.onnx")
    return folder / "twice.onnx"


def test_the_backend_conforms_and_its_runner_agrees(tmp_path):
    feeds = {"x": numpy.array([[1, 2, 3]], "float32")}
    outputs = check_backend(Reference(), model(tmp_path), feeds)
    assert outputs["y"].tolist() == load(str(tmp_path / "twice.onnx"), {}).run(feeds)["y"].tolist()


def test_the_panel_conforms_and_asks_for_the_chosen_folder():
    host = NotingHost([TargetSpec("attic", "folder:/srv/attic")])
    panel = check_panel(FoldersPanel, host)
    panel.look.click()
    assert host.started == [("resources", {"target": "attic"})]
