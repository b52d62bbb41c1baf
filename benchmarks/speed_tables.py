"""The tables about speed, made of the results of extraction, serving, photograph, startup and web."""

from __future__ import annotations

from typing import Any

Result = dict[str, Any]

WAYS = {
    "ours_from_bytes": "ours, from the files' bytes",
    "onnxruntime": "ONNX Runtime alone, ready pixels, its best batch",
    "openvino": "OpenVINO alone, likewise, compiled for that shape",
    "timm_as_a_user": "timm, Pillow and PyTorch as a user would write it, batches of 64 (last layer only)",
    "eager_batch_64": "PyTorch eager, same features, ready pixels, batches of 64",
    "eager_one_by_one": "PyTorch eager, one by one",
}
SERVERS = {"ours": "ours", "litserve": "LitServe", "fastapi": "FastAPI, one run a request"}
LOADS = {"clients": "{} clients", "rate": "{} a second, open loop"}


def speed(results: dict[str, Result]) -> str:
    """README: the figures that a user asks for first."""
    extracted, serving = results["extraction"]["sizes"]["64"], results["serving"]
    web, startup = results["web"], results["startup"]
    times, ours, alone = extracted["times_as_fast_as"], serving["ours"], serving["one_at_a_time"]["ours"]
    bare, most = extracted["ours_to_faster_bare_runtime"], serving["saturation_per_second"]["ours"]
    shown = _median(web["answered_seconds"])
    rows = {
        "features from JPEG files, against timm and PyTorch in batches": f"{times['timm_as_a_user']:.1f} times",
        "against PyTorch eager, image by image": f"{times['eager_one_by_one']:.1f} times",
        "share of the faster bare runtime's rate (ONNX Runtime, OpenVINO)": f"{100 * bare:.0f} %",
        "`POST /predict`, small images: most answers a second": f"{most:.0f}",
        **{
            f"against {SERVERS[name]}, same bytes and graph": f"{ratio:.2f} times"
            for name, ratio in serving["times_as_fast_as"].items()
        },
        "99 % of the answers within, 16 clients": f"{ours['clients_16']['milliseconds']['p99']:.0f} ms",
        "99 % of the answers within, 300 requests a second": f"{ours['rate_300']['milliseconds']['p99']:.0f} ms",
        "one small image, idle service (median)": f"{alone['small_image_ms']['p50']:.1f} ms",
        "one photograph of 12 megapixels (median)": f"{alone['photograph_ms']['p50']:.0f} ms",
        "second start to a served prediction": f"{startup['seconds_to_prediction_median']:.1f} s",
        "memory of the serving process (resident)": f"{startup['resident_mib_max']} MiB",
        "web app: front page can be used after": f"{web['front_page_seconds']['warm']:.1f} s",
        f"web app: {web['pictures']} pictures uploaded, answered and shown (median)": f"{shown:.1f} s",
    }
    return _table(["what", "measured"], [[name, value] for name, value in rows.items()])


def extraction(result: Result) -> str:
    """Images a second of each way at each input size, and its share of the matrix product's bound."""
    sizes = result["sizes"]
    head = ["way", *(f"{size} px, images a second" for size in sizes), *(f"{size} px, ours is" for size in sizes)]
    rows = []
    for name, words in WAYS.items():
        rates = {size: _rate(figures["images_per_second"], name) for size, figures in sizes.items()}
        if any(rate == 0 for rate in rates.values()):
            continue
        ours = {size: figures["images_per_second"]["ours_from_bytes"] for size, figures in sizes.items()}
        rows.append(
            [
                words,
                *(f"{rate:,.0f}" for rate in rates.values()),
                *(
                    f"{ours[size] / rate:.2f} times as fast" if name != "ours_from_bytes" else ""
                    for size, rate in rates.items()
                ),
            ]
        )
    return _table(head, rows)


def bound(result: Result) -> str:
    """Share of what the same number of multiply-adds would take as one matrix product."""
    sizes = result["sizes"]
    rows = [
        [
            WAYS[name].partition(",")[0],
            *(f"{100 * figures['share_of_matrix_product_bound'][name]:.0f} %" for figures in sizes.values()),
        ]
        for name in next(iter(sizes.values()))["share_of_matrix_product_bound"]
    ]
    return _table(["share of the matrix product's rate", *(f"{size} px" for size in sizes)], rows)


def serving(result: Result) -> str:
    """Answers a second, latencies and processor time of each server under each load."""
    rows = []
    for load in result["ours"]:
        kind, _, number = load.partition("_")
        for name, words in SERVERS.items():
            if name in result:
                figures = result[name][load]
                rows.append(
                    [
                        LOADS[kind].format(number),
                        words,
                        f"{figures['per_second']:.0f}",
                        f"{figures['milliseconds']['p50']:.0f} ms",
                        f"{figures['milliseconds']['p99']:.0f} ms",
                        f"{figures['server_cpu_ms_per_answer']:.2f} ms",
                    ]
                )
    return _table(["load", "server", "answers a second", "median", "p99", "server's processor time an answer"], rows)


def photograph(result: Result) -> str:
    """Milliseconds of each step of a large photograph."""
    rows = [
        [
            f"{values['width']} x {values['height']}, {values['bytes'] / 1e6:.1f} MB",
            *(f"{values[f'{step}_ms']:.0f} ms" for step in ("pillow_alone", "decode", "features", "both")),
        ]
        for values in result["photographs"].values()
    ]
    return _table(["photograph", "Pillow alone decodes", "ours decodes", "features", "together"], rows)


def _rate(rates: dict[str, float], name: str) -> float:
    return max((value for key, value in rates.items() if key == name or key.startswith(f"{name}_")), default=0.0)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)
