"""Azure Machine Learning as a platform: a bundle's image behind a managed online endpoint."""
