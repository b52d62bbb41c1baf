"""The rival as most people write it: FastAPI, one request one run of ONNX Runtime with its default threads.

python benchmarks/rivals/with_fastapi.py GRAPH PORT
"""

from __future__ import annotations

import sys

import onnxruntime
import uvicorn
from detecting import answer, decode, probabilities
from fastapi import FastAPI, UploadFile

app = FastAPI()
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])


@app.post("/predict")
def predict(files: UploadFile) -> dict[str, object]:
    """The answer for one image; FastAPI calls this in a thread of its pool."""
    pixels = decode(files.file.read())
    return answer(files.filename or "", probabilities(session, pixels[None])[0])


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
