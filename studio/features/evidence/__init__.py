"""Evidence about versions: model cards, dossiers, groups, explanations and logs."""
