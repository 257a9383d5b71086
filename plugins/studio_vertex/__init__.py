"""Google Vertex AI as a platform: a bundle's image behind an endpoint of a project."""
