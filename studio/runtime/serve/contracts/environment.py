"""What platforms say to their containers in variables and folders, as options of ``serve``.

They start an image with the one argument ``serve`` (SageMaker) or none of their own, choose the
port, and put the model at a place of theirs. An option on the command line always wins.
"""

from __future__ import annotations

from pathlib import Path
from typing import List, Mapping, Optional

BUNDLE = "EDGEWRIGHT_BUNDLE"
"""Set by our images: the bundle inside the image."""

SAGEMAKER_MODEL = Path("/opt/ml/model")
_EVERYWHERE = "0.0.0.0"
_SOURCES = ("--root", "--bundle", "--model")
_SAGEMAKER_PORT = "8080"
_AZURE_PORT = "5001"


def completed(
    arguments: List[str], environment: Mapping[str, str], sagemaker: Path = SAGEMAKER_MODEL
) -> List[str]:
    """The command line with what is left out taken from the platform.

    Args:
        sagemaker: Where SageMaker unpacks the model.
    """
    given = {argument.partition("=")[0] for argument in arguments}
    if "--listener" in given:  # the worker of a supervisor, which has been through this
        return arguments
    more: List[str] = []
    if not given.intersection(_SOURCES):
        more += _source(environment, sagemaker)
    port = _port(environment, sagemaker, sourced=bool(more))
    if port is not None:
        more += [] if "--host" in given else ["--host", _EVERYWHERE]
        more += [] if "--port" in given else ["--port", port]
    return arguments + more


def _source(environment: Mapping[str, str], sagemaker: Path) -> List[str]:
    named = [environment.get(name) for name in (BUNDLE, "AZUREML_MODEL_DIR")]
    for folder in [*(Path(name) for name in named if name), sagemaker]:
        found = _model_in(folder)
        if found is not None:
            return ["--bundle" if found.is_dir() else "--model", str(found)]
    return []


def _model_in(folder: Path) -> Optional[Path]:
    """The bundle or the one model in a folder, or one level below; None where that is not clear."""
    if (folder / "manifest.json").is_file():
        return folder
    for pattern in ("*/manifest.json", "*.onnx", "*/*.onnx"):
        found = sorted(folder.glob(pattern))
        if len(found) == 1:
            return found[0].parent if found[0].name == "manifest.json" else found[0]
    return None


def _port(environment: Mapping[str, str], sagemaker: Path, sourced: bool) -> Optional[str]:
    """The port that a platform wants; None outside of one, where loopback stays the default."""
    if environment.get("AIP_HTTP_PORT"):
        return environment["AIP_HTTP_PORT"]
    if environment.get("SAGEMAKER_BIND_TO_PORT"):
        return environment["SAGEMAKER_BIND_TO_PORT"]
    if environment.get("AZUREML_MODEL_DIR"):
        return _AZURE_PORT
    return _SAGEMAKER_PORT if sourced and sagemaker.is_dir() else None
