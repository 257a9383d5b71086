"""Intel's Neural Network Compression Framework as a quantizer, in an environment of its own."""
