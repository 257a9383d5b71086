"""OCI registries: bundles as ModelPack artefacts and as images for KServe and Kubernetes."""
