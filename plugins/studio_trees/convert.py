"""Converters of tree ensembles and of scikit-learn: their libraries live in one environment."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainConverter

TOOL = Path(__file__).with_name("tool.py")


class LightGbmConverter(ToolchainConverter):
    """The converter of LightGBM's text files."""

    id = "lightgbm"
    title = "LightGBM"
    sources = ("lightgbm",)
    distribution = "lightgbm"
    tool = TOOL


class XgBoostConverter(ToolchainConverter):
    """The converter of XGBoost's files in JSON and UBJSON."""

    id = "xgboost"
    title = "XGBoost"
    sources = ("xgboost",)
    distribution = "xgboost"
    tool = TOOL


class ScikitLearnConverter(ToolchainConverter):
    """The converter of pickled estimators and pipelines; reading one runs its code."""

    id = "scikit-learn"
    title = "scikit-learn"
    sources = ("pickle",)
    distribution = "scikit-learn"
    tool = Path(__file__).with_name("tool_sklearn.py")
