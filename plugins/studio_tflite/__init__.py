"""TFLite models (LiteRT) as a plugin: flatbuffers read with bounds, as a graph."""
