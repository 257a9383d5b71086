"""Language models: GGUF files and folders of safetensors, with their decoder as a graph."""
