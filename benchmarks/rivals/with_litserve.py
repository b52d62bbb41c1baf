"""The rival on LitServe: batches made by the framework, workers as processes of its own.

python benchmarks/rivals/with_litserve.py GRAPH PORT WORKERS BATCH TIMEOUT_MS FAST_QUEUE

Annotations are evaluated here: LitServe reads a form only where it finds the class `Request` itself.
"""

import sys
from typing import Any

import litserve
import numpy as np
from detecting import answer, decode, open_graph, probabilities
from fastapi import Request


class DetectorAPI(litserve.LitAPI):
    """`POST /predict` with one image in the field `files`."""

    def __init__(self, graph: str, threads: int, **given: Any) -> None:
        super().__init__(**given)
        self.graph, self.threads = graph, threads

    def setup(self, device: str) -> None:  # noqa: ARG002 (as LitServe calls it)
        """Each worker opens the graph."""
        self.session = open_graph(self.graph, self.threads)

    def decode_request(self, request: Request) -> Any:
        """The pixels of the image that came with a request."""
        return decode(request["files"].file.read())  # type: ignore[index]  # a form by now

    def batch(self, inputs: list[Any]) -> Any:
        """One array of all images, which are of one size here."""
        return np.stack(inputs)

    def predict(self, x: Any) -> Any:
        """One run for the batch, or for the only image."""
        return probabilities(self.session, x if x.ndim == 4 else x[None])

    def unbatch(self, output: Any) -> Any:
        """One answer a request."""
        return output

    def encode_response(self, output: Any) -> Any:
        """JSON of one answer."""
        return answer("a.jpg", output[0] if isinstance(output, list) else output)


if __name__ == "__main__":
    graph, port, workers, batch, timeout_ms, fast = sys.argv[1:]
    made = DetectorAPI(graph, 2 // int(workers), max_batch_size=int(batch), batch_timeout=float(timeout_ms) / 1000)
    server = litserve.LitServer(
        made, accelerator="cpu", devices=1, workers_per_device=int(workers), fast_queue=fast == "true"
    )
    server.run(host="127.0.0.1", port=int(port), log_level="warning", generate_client_file=False, access_log=False)
