"""The Quantize page: presets, pre-flight check, variants, layers, samples."""
