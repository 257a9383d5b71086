"""The dossier: statements about a model, and the pages that show them."""
