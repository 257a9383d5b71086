"""AWS IoT Greengrass: bundles as components, a recipe and its artefact."""
