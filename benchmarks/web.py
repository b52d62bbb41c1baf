"""The web app in a real browser: seconds until the front page can be used, and until many pictures are answered.

    python -m benchmarks.web [--pictures 500] [--repeats 3]

Needs Debian's chromium and chromium-driver. The limit beside it is a bare Streamlit page with the same uploader only.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

from benchmarks.load import server
from benchmarks.record import write_result
from benchmarks.startup import free_port
from tests.e2e.web import chromium, running_web_app

PATIENCE_SECONDS = 120.0
BARE = """
import streamlit as st
files = st.file_uploader("Pictures", accept_multiple_files=True)
st.write(f"Pictures: {len(files)} here")
"""
UPLOADER = "[data-testid=stFileUploader] input[type=file]"
DONE = """
const busy = document.querySelector('[data-testid=stProgress], [data-testid=stStatusWidget]');
return !busy && document.body.innerText.includes(arguments[0]);
"""


def make_pictures(folder: Path, count: int) -> list[Path]:
    """So many different 32 x 32 JPEGs."""
    rng, made = np.random.default_rng(0), []
    for number in range(count):
        buffer = io.BytesIO()
        small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        small.resize((32, 32), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=75)
        made.append(folder / f"{number:04d}.jpg")
        made[-1].write_bytes(buffer.getvalue())
    return made


def wait(browser: WebDriver, script: str, *given: Any) -> float:
    """The moment at which a script says true."""
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while time.perf_counter() < deadline:
        if browser.execute_script(script, *given):
            return time.perf_counter()
        time.sleep(0.05)
    raise SystemExit(f"the page never came so far: {browser.find_element(By.TAG_NAME, 'body').text[:500]}")


def open_page(browser: WebDriver, url: str) -> float:
    """Seconds until the uploader of a page that was not open before can be used."""
    browser.get("about:blank")
    began = time.perf_counter()
    browser.get(url)
    return wait(browser, f"return !!document.querySelector('{UPLOADER}')") - began


def drop(browser: WebDriver, files: list[Path], sign: str) -> float:
    """Seconds from choosing the files until the page has settled and contains `sign`."""
    began = time.perf_counter()
    browser.find_element(By.CSS_SELECTOR, UPLOADER).send_keys("\n".join(map(str, files)))
    return wait(browser, DONE, sign) - began


def bare_app(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """A Streamlit page with nothing but the uploader."""
    script = folder / "bare.py"
    script.write_text(BARE)
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(pictures: int, repeats: int) -> dict[str, Any]:
    """All figures, in seconds."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="deepfake-web-") as name, chromium() as browser:
        if browser is None:
            raise SystemExit("skipped: install Debian's packages chromium and chromium-driver")
        folder = Path(name)
        files = make_pictures(folder, pictures)
        opened, answered, bare = [], [], []
        with server(folder, port), running_web_app(f"http://127.0.0.1:{port}", os.environ, folder) as url:
            cold = open_page(browser, url)
            for _ in range(repeats):
                opened.append(open_page(browser, url))
                answered.append(drop(browser, files, f"Pictures: {pictures} "))
        port = free_port()
        process = bare_app(folder, port)
        try:
            time.sleep(5.0)
            for _ in range(repeats):
                open_page(browser, f"http://127.0.0.1:{port}")
                bare.append(drop(browser, files, f"Pictures: {pictures} here"))
        finally:
            process.terminate()
            process.wait(20)
    return {
        "pictures": pictures,
        "front_page_seconds": {"cold": round(cold, 2), "warm": round(statistics.median(opened), 2)},
        "answered_seconds": [round(seconds, 2) for seconds in answered],
        "bare_uploader_seconds": [round(seconds, 2) for seconds in bare],
    }


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description="The web app in a browser.")
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    figures = measure(given.pictures, given.repeats)
    print(figures)
    print(write_result("web", figures, seed=0))


if __name__ == "__main__":
    main()
