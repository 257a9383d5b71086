"""Bills of materials of a model and its data, in the formats of CycloneDX and SPDX."""
