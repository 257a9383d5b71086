"""Command lines of evidence, for the tests that try every command."""

_OK = (0,)

LINES = {
    "groups": [("groups digits.onnx --data heldout.npz --samples 50", _OK)],
    "robustness": [
        ("robustness digits.onnx --data heldout.npz --family blur --samples 20", _OK),
    ],
    "explain": [("explain digits.onnx --data heldout.npz --evaluations 50", _OK)],
    "evidence": [
        ("evidence digits.onnx --out evidence", _OK),
        ("evidence verify evidence", _OK),
        ("evidence notice digits.onnx --out notice", _OK),
        ("evidence frameworks", _OK),
        ("evidence crosswalk", _OK),
        ("evidence screen digits.onnx", _OK),
        ("evidence answer digits misuse --text no --by me", _OK),
        ("evidence answers digits", _OK),
        ("evidence ask digits", _OK),
        ("evidence ask digits misuse --of me", _OK),
    ],
    "incidents": [
        ("incidents open digits.onnx --title no --text no --happened 2026-11-30 --by me", _OK),
        ("incidents note digits 1 --text no --by me", _OK),
        ("incidents report digits 1 --to no --text no --by me", _OK),
        ("incidents close digits 1 --text no --by me", _OK),
        ("incidents export digits 1 --out incident", _OK),
        ("incidents list", _OK),
        ("incidents show digits 1", _OK),
    ],
}
WITHOUT_A_STEP = ()
