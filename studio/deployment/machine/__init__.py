"""The studio's side of a target's release machine: its verbs, their answers, uploads, wheels."""
