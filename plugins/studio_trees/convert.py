"""Converters of tree ensembles: both libraries live in one environment."""

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
