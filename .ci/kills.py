"""Kills runs of 01, 04 and 06 by SIGKILL at random moments, starts them again and compares what they end with, bit for bit.

python .ci/kills.py [--notebooks 01 04 06] [--kills 10] [--seed 0] [--folder outputs/kills] [--quick]
Prints a line a kill and "N of M held"; exit code 1 unless all did. Only papermill's process is killed: everything that it started
must end by itself."""
import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = {
    "01": ("01_prepare_data", {"sample_size": 4, "num_workers": 2, "out_dir": "{run}", "data_dir": "{run}/data"}),
    "04": ("04_train_detector", {"sample_size": 26, "epochs": 3, "image_size": 64, "save_every": 2, "device": "cpu", "run_dir": "{run}"}),
    "06": ("06_train_llm", {"n_samples": 200, "tiny_steps": 30, "tiny_hidden": 48, "epochs": 2, "save_every": 1, "max_test": 4,
                            "max_new_tokens": 8, "merge": False, "device": "cpu", "run_dir": "{run}"})}
QUICK = {"sample_size": 2, "num_workers": 1, "phases": "download,clean,split,augment"}
TIMES = ("second", "minute", "eta", "throughput", "_per_s", "memory")  # parts of names whose values no two runs share
RESULTS = ("manifest.parquet", "ledger.parquet", "conflicts.parquet", "report.json", "metrics.json", "history.parquet", "repairs.json")


def is_time(name: str) -> bool:
    return any(part in str(name) for part in TIMES)


def content(path: Path) -> str:
    "A hash of a file, without the times in it"
    if path.name in ("metrics.json", "report.json"):
        kept = {key: value for key, value in json.loads(path.read_text()).items() if not is_time(key)}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
    if path.name == "history.parquet":
        table = pd.read_parquet(path)
        return hashlib.sha256(table[[name for name in table if not is_time(name)]].to_json(double_precision=15).encode()).hexdigest()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fingerprint(run: Path) -> dict[str, str]:
    "Every result of a run: tables, numbers, weights, augmented images"
    wanted = []
    for path in run.rglob("*"):
        parts = path.relative_to(run).parts
        results = path.name in RESULTS or path.suffix == ".safetensors" or "augmented" in parts
        if path.is_file() and results and parts[0] not in ("data", "stages"):
            wanted.append(path)
    return {path.relative_to(run).as_posix(): content(path) for path in sorted(wanted)}


def marked(mark: str) -> list[int]:
    "The processes that were started under a mark in their environment"
    found = []
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdigit() and mark.encode() in (place / "environ").read_bytes():
                found.append(int(place.name))
        except OSError:
            continue  # it ended while it was looked at, or belongs to another user
    return found


def start(notebook: str, values: dict, run: Path, mark: str) -> subprocess.Popen:
    "papermill on a notebook, with a mark that its children inherit"
    given = [part for name, value in values.items() for part in ("-p", name, str(value).format(run=run))]
    environment = {**os.environ, "RELEAF_ROOT": str(ROOT), "OMP_NUM_THREADS": "1", "RELEAF_MARK": mark,
                   "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(["papermill", str(ROOT / "nbs" / f"{notebook}.ipynb"), str(run.with_suffix(".ipynb")), *given], env=environment,
                            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=open(run.with_suffix(".log"), "wb"))


def whole(notebook: str, values: dict, run: Path) -> float:
    "Run to the end; seconds"
    begin = time.monotonic()
    process = start(notebook, values, run, uuid.uuid4().hex)
    if process.wait():
        sys.exit(f"{notebook} failed: {run.with_suffix('.log').read_text()[-1500:]}")
    return time.monotonic() - begin


def killed(notebook: str, values: dict, run: Path, after: float) -> str:
    "Kill papermill after some seconds; what is wrong then, or ''"
    mark = uuid.uuid4().hex
    process = start(notebook, values, run, mark)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    end = time.monotonic() + 30
    while (left := marked(mark)) and time.monotonic() < end:
        time.sleep(0.1)
    for each in left:
        os.kill(each, signal.SIGKILL)
    return f"{len(left)} processes outlived it" if left else ""


def fresh(run: Path) -> None:
    "Remove what an earlier run left, and the scenes that 04 drew"
    shutil.rmtree(run, ignore_errors=True)
    for left in (ROOT / "data").glob("scenes-v*-26"):
        shutil.rmtree(left)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notebooks", nargs="+", choices=NOTEBOOKS, default=list(NOTEBOOKS))
    parser.add_argument("--kills", type=int, default=10, help="of each notebook")
    parser.add_argument("--seed", type=int, default=0, help="decides the moments")
    parser.add_argument("--folder", default="outputs/kills")
    parser.add_argument("--quick", action="store_true", help="01 with two photographs of an object and without its report")
    options = parser.parse_args()
    folder, held, tried = (ROOT / options.folder).resolve(), 0, 0
    folder.mkdir(parents=True, exist_ok=True)
    for short in options.notebooks:
        (notebook, values), run = NOTEBOOKS[short], folder / short
        values = values | QUICK if options.quick and short == "01" else values
        fresh(run)
        seconds = whole(notebook, values, run)
        expected = fingerprint(run)
        print(f"{notebook}: {seconds:.1f} s undisturbed, {len(expected)} files compared", flush=True)
        moments = random.Random(f"{options.seed}:{short}")
        for _ in range(options.kills):
            after = moments.uniform(0.15, 1.0) * seconds
            fresh(run)
            wrong = killed(notebook, values, run, after)
            there = sum(path.is_file() for path in run.rglob("*"))
            whole(notebook, values, run)
            found = fingerprint(run)
            other = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
            wrong = ", ".join(filter(None, [wrong, f"{len(other)} files differ: {', '.join(other[:4])}" if other else ""]))
            tried, held = tried + 1, held + (not wrong)
            print(f"{notebook}: killed after {after:.1f} s ({there} files there): {wrong or 'the same end'}", flush=True)
        fresh(run)
    print(f"{held} of {tried} held")
    sys.exit(held != tried)


if __name__ == "__main__":
    main()
