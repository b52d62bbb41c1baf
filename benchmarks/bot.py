"""The Telegram bot before the real service: seconds to a first answer, and photos at a steady rate from many chats.

    python -m benchmarks.bot [--photos 30] [--rate 20] [--chats 200] [--seconds 60]

Telegram is the tests' own (tests/bot/telegram.py), in this process, and takes processor time of the same machine. The
photos are JPEGs of 1280 x 960 pixels, as Telegram makes them. A photo's time runs from the moment at which the fake has
its update to the one at which it has taken the answer.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import skimage.data
from PIL import Image

from benchmarks.clients import percentiles
from benchmarks.load import memory, server
from benchmarks.record import write_result
from benchmarks.startup import free_port
from frontend.bot.checking import QUIET_S
from tests.bot.running import RunningBot
from tests.bot.telegram import FakeTelegram, telegram

SIDES = (1280, 960)
PHOTOS = 16
PATIENCE_S = 120.0
APART_S = 1.5 * QUIET_S
SAMPLE_S = 0.5
TRIED = "Compressed further"
"""Stands in answers whose photo was tried on changed copies; so does the other text's beginning."""
FLIPPED = "Compression matters here"


def make_photos(count: int = PHOTOS) -> list[bytes]:
    """So many JPEGs of SIDES, parts of photographs with some noise."""
    rng = np.random.default_rng(0)
    photographs = [skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea()]
    made = []
    for number in range(count):
        photograph = Image.fromarray(photographs[number % len(photographs)])
        left, top = (int(rng.integers(0, 40)) for _ in range(2))
        part = photograph.crop((left, top, photograph.width, photograph.height)).resize(SIDES, Image.Resampling.BICUBIC)
        noisy = np.asarray(part, dtype=np.float32) + rng.normal(0, 4, (SIDES[1], SIDES[0], 3))
        buffer = io.BytesIO()
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=82)
        made.append(buffer.getvalue())
    return made


def send(fake: FakeTelegram, chat: int, photo: bytes) -> tuple[int, float]:
    """The number of the message that was sent, and the moment."""
    message = fake.photo(chat, photo)
    at = time.monotonic()
    fake.send(message)
    return int(message["message_id"]), at


def answers(fake: FakeTelegram) -> dict[int, list[Any]]:
    """Number of a message -> the bot's answers to it."""
    found: dict[int, list[Any]] = {}
    for call in fake.sent():
        found.setdefault(int(call.data["reply_parameters"]["message_id"]), []).append(call)
    return found


def idle(fake: FakeTelegram, photos: list[bytes], count: int) -> dict[str, Any]:
    """One photo after the other, each from a chat of its own, so far apart that each is tried on changed copies."""
    seconds = []
    for number in range(count):
        time.sleep(APART_S)
        chat = 1_000 + number
        _, at = send(fake, chat, photos[number % len(photos)])
        seconds.append(fake.answer(chat).at - at)
    return {"photos": count, "milliseconds": percentiles(seconds)}


def steady(
    fake: FakeTelegram, bot: psutil.Process, photos: list[bytes], *, rate: float, chats: int, seconds: float
) -> dict[str, Any]:
    """Photos at a steady rate, from one chat after the other."""
    fake.forget()
    sent: dict[int, float] = {}
    samples: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(SAMPLE_S):
            samples.append(bot.memory_info().rss / 2**20)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    cpu, began = bot.cpu_times(), time.monotonic()
    for number in range(int(rate * seconds)):
        if (pause := began + number / rate - time.monotonic()) > 0:
            time.sleep(pause)
        message, at = send(fake, 10_000 + number % chats, photos[number % len(photos)])
        sent[message] = at
    took = time.monotonic() - began
    last = time.monotonic() + PATIENCE_S
    while len(answers(fake)) < len(sent) and time.monotonic() < last:
        time.sleep(0.1)
    done.set()
    after = bot.cpu_times()
    found = answers(fake)
    counts = Counter(len(found.get(message, [])) for message in sent)
    words = [str(calls[0].data["text"]) for calls in found.values()]
    return {
        "rate": round(len(sent) / took, 1),
        "chats": chats,
        "seconds": round(took, 1),
        "photos": len(sent),
        "lost": counts[0],
        "answered_twice": sum(count for times, count in counts.items() if times > 1),
        "tried_on_copies": sum(TRIED in text or FLIPPED in text for text in words),
        "not_answered_with_a_verdict": sum("Probability" not in text for text in words),
        "milliseconds": percentiles([found[m][0].at - at for m, at in sent.items() if m in found]),
        "bot_memory": memory(samples),
        "bot_cpu_seconds": round(after.user + after.system - cpu.user - cpu.system, 1),
    }


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """The figures of one run."""
    photos, port, load = make_photos(), free_port(), os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="deepfake-bot-") as folder,
        server(Path(folder), port),
        telegram() as fake,
    ):
        bot = RunningBot(fake, f"http://127.0.0.1:{port}", Path(folder), RATE="20", TIMEOUT_SECONDS="20")
        began = time.monotonic()
        bot.start()
        started = round(time.monotonic() - began, 2)
        process = psutil.Process(bot.pid)
        idle(fake, photos, 3)  # the service's first answers are slower
        fake.forget()
        figures = {
            "photo_pixels": list(SIDES),
            "photo_bytes": round(sum(map(len, photos)) / len(photos)),
            "load_before": round(load, 1),
            "start_seconds": started,
            "idle": idle(fake, photos, given.photos),
            "steady": steady(fake, process, photos, rate=given.rate, chats=given.chats, seconds=given.seconds),
        }
        bot.stop()
    return figures


def table(result: dict[str, Any]) -> str:
    """A Markdown table of one run."""
    idle, steady, mib = result["idle"], result["steady"], result["steady"]["bot_memory"]
    few, many = idle["milliseconds"], steady["milliseconds"]
    rows = {
        "one photo on an idle bot: median, slowest": f"{few['p50']:.0f} ms, {few['max']:.0f} ms",
        "photos a second, chats, seconds": f"{steady['rate']:.0f}, {steady['chats']}, {steady['seconds']:.0f}",
        "photos sent, lost, answered twice": f"{steady['photos']:,}, {steady['lost']}, {steady['answered_twice']}",
        "time to an answer: median, p99, slowest": f"{many['p50']:.0f} ms, {many['p99']:.0f} ms, {many['max']:.0f} ms",
        "answers that tell what compression does": f"{steady['tried_on_copies']:,}",
        "memory of the bot: early, late, highest": f"{mib['early_mib']}, {mib['late_mib']}, {mib['highest_mib']} MiB",
        "processor seconds of the bot": f"{steady['bot_cpu_seconds']:.0f}",
        "load of the machine before the run (processes that want a core)": f"{result['load_before']:.0f}",
        "start of the bot": f"{result['start_seconds']:.1f} s",
    }
    return "\n".join(["| what | measured |", "| --- | --- |", *(f"| {name} | {text} |" for name, text in rows.items())])


def main() -> None:
    """Measures and writes the result; exit status 1 where a photo was lost or answered twice."""
    parser = argparse.ArgumentParser(description="The Telegram bot under load.")
    parser.add_argument("--photos", type=int, default=30)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    figures = measure(parser.parse_args())
    print(json.dumps(figures, indent=1))
    print(write_result("bot", figures, seed=0))
    if figures["steady"]["lost"] or figures["steady"]["answered_twice"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
