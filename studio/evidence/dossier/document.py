"""The dossier as one JSON document."""

from __future__ import annotations

import json

from studio.documents.dataclass_json import to_json
from studio.evidence.dossier.outline import Dossier


def dossier_json(dossier: Dossier) -> str:
    """Return statements, chapters and coverages; equal dossiers give equal bytes."""
    document = {
        "subject": to_json(dossier.subject),
        "created": dossier.created,
        "statements": [to_json(one) for one in dossier.statements.values()],
        "chapters": to_json(dossier.chapters),
        "coverages": to_json(dossier.coverages),
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"
