"""Google's LiteRT as a backend for TFLite models, in an environment of its own."""
