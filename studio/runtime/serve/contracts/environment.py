"""Options of ``serve`` from the variables and folders of platforms.

They start an image with the argument ``serve`` (SageMaker) or without arguments, choose the
port, and put the model in a folder of theirs. An option on the command line always wins.
"""

from __future__ import annotations

from pathlib import Path
from typing import List, Mapping, Optional

from ..engine.model_files import model_in

BUNDLE = "EDGEWRIGHT_BUNDLE"
"""Set by our images: the bundle inside the image."""

SAGEMAKER_MODEL = Path("/opt/ml/model")
SAGEMAKER_MULTI_MODEL = "SAGEMAKER_MULTI_MODEL"
"""Set to true where the models come one by one, unpacked below ``/opt/ml/models``."""

_EVERYWHERE = "0.0.0.0"
_SOURCES = ("--root", "--bundle", "--model", "--models")
_SAGEMAKER_PORT = "8080"
_AZURE_PORT = "5001"


def completed(
    arguments: List[str], environment: Mapping[str, str], sagemaker: Path = SAGEMAKER_MODEL
) -> List[str]:
    """Return the command line with what is left out taken from the platform.

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
        # The names of the platform's own gateway are unknown here, and no browser bypasses it.
        more += [] if "--allowed-host" in given else ["--allowed-host", "*"]
    return arguments + more


def _source(environment: Mapping[str, str], sagemaker: Path) -> List[str]:
    if environment.get(SAGEMAKER_MULTI_MODEL, "").lower() == "true":
        return ["--models", str(sagemaker.with_name("models")), "--on-demand"]
    named = [environment.get(name) for name in (BUNDLE, "AZUREML_MODEL_DIR")]
    for folder in [*(Path(name) for name in named if name), sagemaker]:
        found = model_in(folder)
        if found is not None:
            return ["--bundle" if found.is_dir() else "--model", str(found)]
    return []


def _port(environment: Mapping[str, str], sagemaker: Path, sourced: bool) -> Optional[str]:
    """Return the port that a platform requires, or None outside of one."""
    if environment.get("AIP_HTTP_PORT"):
        return environment["AIP_HTTP_PORT"]
    if environment.get("SAGEMAKER_BIND_TO_PORT"):
        return environment["SAGEMAKER_BIND_TO_PORT"]
    if environment.get("AZUREML_MODEL_DIR"):
        return _AZURE_PORT
    multi = environment.get(SAGEMAKER_MULTI_MODEL, "").lower() == "true"
    return _SAGEMAKER_PORT if sourced and (multi or sagemaker.is_dir()) else None
