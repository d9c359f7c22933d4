"""Many visitors at once: photographs sent to `releaf serve` from another process on loopback, as the page sends them.

    python .ci/load.py                                      8 visitors with 20 photographs each
    python .ci/load.py --visitors 2 --photographs 250       500 photographs: does memory stay flat?
    python .ci/load.py --folder DIR --url http://127.0.0.1:7860 --pid 123

Prints throughput, median and 95th percentile of the time from sending a photograph to its answer, how many were lost, the server's
processor time for each photograph, which other work on the machine changes less, and its memory before, on the way and after.
"""

import argparse
import io
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent


def resident(pid: int) -> float:
    "Megabytes of a process"
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def processor(pid: int) -> float:
    "Seconds that a process has computed, on all cores"
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def phone_photographs(folder: Path | None, count: int = 12) -> list[bytes]:
    "Photographs of several megapixels: a folder's, or the package's made as large as a phone's"
    if folder is not None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".heic"))
        return [path.read_bytes() for path in paths[:: max(1, len(paths) // 200)]]
    made = []
    for path in sorted((ROOT / "data" / "photographs").glob("*.jpg"))[:count]:
        image = Image.open(path, formats=("JPEG",)).convert("RGB")
        scale = (12_000_000 / (image.width * image.height)) ** 0.5
        size = round(image.width * scale), round(image.height * scale)
        pixels = np.asarray(image.resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
        noise = np.random.default_rng(0).integers(-12, 13, pixels.shape, np.int16)
        buffer = io.BytesIO()
        Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
        made.append(buffer.getvalue())
    return made


class Visitor(threading.Thread):
    "Sends one photograph after the other, and waits for each answer"

    def __init__(self, url: str, number: int, photographs: list[bytes], count: int, target: int):
        super().__init__(daemon=True)
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=300)
        self.number, self.photographs, self.count, self.target = number, photographs, count, target
        self.seconds, self.lost, self.bins = [], [], 0

    def one(self, turn: int) -> None:
        "One photograph"
        begun = time.monotonic()
        content = self.photographs[(self.number * 7 + turn) % len(self.photographs)]
        sent = self.http.post("/photograph", content=content)
        if sent.status_code != 200:
            return self.lost.append(sent.text)
        session = f"load{self.number}"
        event = {"act": "look", "photograph": sent.json()["photograph"], "serial": turn, "language": "en", "region": "germany"}
        joined = {"data": [], "fn_index": self.target, "event_data": event, "session_hash": session}
        self.http.post("/gradio_api/queue/join", json=joined).raise_for_status()
        html = ""
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
            for line in stream.iter_lines():
                message = json.loads(line[5:]) if line.startswith("data:") else {"msg": ""}
                if message["msg"] == "process_completed":
                    html = (message.get("output") or {}).get("data", [""])[0]
                    break
        self.seconds.append(time.monotonic() - begun)
        if f'data-serial="{turn}"' not in html or "data-token=\"\"" in html:
            self.lost.append(html[:300])
        self.bins += "<strong>" in html

    def run(self) -> None:
        for turn in range(self.count):
            try:
                self.one(turn)
            except (httpx.HTTPError, KeyError, ValueError) as error:
                self.lost.append(repr(error))
        self.http.close()


def start(scratch: str) -> tuple[subprocess.Popen, str]:
    "A server of its own"
    command = [sys.executable, "-c", "from releaf.cli import main; main()", "serve", "--port", "0", "--keep", f"{scratch}/kept"]
    if not (ROOT / "data" / "pretrained" / "detector" / "config.json").is_file():
        command += ["--detector", "none"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               env={**os.environ, "TMPDIR": scratch})
    for line in process.stdout:
        if line.startswith("releaf is at "):
            return process, line.split()[3]
    raise RuntimeError("the server did not start")


def measure(given, url: str, pid: int) -> int:
    "The load, and what it was like"
    photographs = phone_photographs(given.folder)
    if not photographs:
        raise SystemExit(f"--folder {given.folder}: found no photographs, expected .jpg, .jpeg, .png or .heic")
    config = httpx.get(f"{url}/config", trust_env=False, timeout=60).json()
    target = next(each["id"] for each in config["dependencies"] if each["targets"][0][1] == "upload")
    sizes = [len(each) / 1e6 for each in photographs]
    print(f"{len(photographs)} photographs of {min(sizes):.1f} to {max(sizes):.1f} MB; memory: {resident(pid):.0f} MB", flush=True)
    visitors = [Visitor(url, number, photographs, given.photographs, target) for number in range(given.visitors)]
    begun, computed = time.monotonic(), processor(pid)
    for visitor in visitors:
        visitor.start()
    said = begun
    while any(visitor.is_alive() for visitor in visitors):
        time.sleep(0.05)
        if time.monotonic() - said > given.every:
            said, done = time.monotonic(), sum(len(visitor.seconds) for visitor in visitors)
            print(f"  {said - begun:5.0f} s: {done} answers, {resident(pid):.0f} MB", flush=True)
    took, seconds = time.monotonic() - begun, sorted(each for visitor in visitors for each in visitor.seconds)
    lost, computed = [each for visitor in visitors for each in visitor.lost], processor(pid) - computed
    print(f"{given.visitors} visitors, {len(seconds)} photographs in {took:.1f} s: {len(seconds) / took:.2f} a second, "
          f"median {statistics.median(seconds):.2f} s, 95th percentile {seconds[int(0.95 * (len(seconds) - 1))]:.2f} s, "
          f"processor {computed / max(1, len(seconds)):.2f} s each, lost {len(lost)}, "
          f"with a bin {sum(visitor.bins for visitor in visitors)}; memory: {resident(pid):.0f} MB")
    print(*lost[:3], sep="\n")
    return bool(lost)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--visitors", type=int, default=8)
    options.add_argument("--photographs", type=int, default=20, help="of each visitor")
    options.add_argument("--folder", type=Path, help="photographs to send; otherwise the package's own")
    options.add_argument("--every", type=float, default=10, help="seconds between lines about memory")
    options.add_argument("--url", help="of a server that runs already")
    options.add_argument("--pid", type=int, help="of that server")
    given = options.parse_args()
    if given.url:
        return measure(given, given.url, given.pid)
    with tempfile.TemporaryDirectory(prefix="load-") as scratch:
        begun = time.monotonic()
        process, url = start(scratch)
        print(f"server: {time.monotonic() - begun:.1f} s until its address stood there")
        try:
            return measure(given, url, process.pid)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


if __name__ == "__main__":
    sys.exit(main())
