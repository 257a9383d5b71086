"""The Optimize page: chips, presets with predictions, variants, lineage, layers, samples."""
