"""Sensitivity of each layer: output error and time when only it is quantized.

``pieces`` takes the quantized layers out of a model, ``chain`` runs what lies behind a layer, in
segments that all layers share, ``noise`` compares, and ``costs`` puts them together.
"""

from studio_onnxruntime.sensitivity.costs import LayerCost, layer_costs

__all__ = ["LayerCost", "layer_costs"]
