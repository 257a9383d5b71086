"""Language models from one file format to the other: GGUF and safetensors."""
