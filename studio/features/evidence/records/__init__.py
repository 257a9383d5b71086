"""Records of a model in the registry, as evidence reads them."""
