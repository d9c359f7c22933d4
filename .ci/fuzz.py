"""Fuzzing with a fixed seed: pictures, manifests, archives, COCO folders and run folders, damaged, contradicting themselves or hostile.

    python .ci/fuzz.py                                  small, as in CI
    python .ci/fuzz.py --n 300 --kinds archives,runs    large, by hand
    python .ci/fuzz.py --case runs:0:17 --keep DIR      one case again: its kind, seed and number; its files stay in DIR

A case holds when what is read is right, or an error of a documented type names the file. It does not hold after any other exception,
more than `--seconds` of processor time (or thirty times that of waiting: other programs must not decide), more memory than 1.5 GB over
what the process had, a file where none belongs, or code that was run. Cases of a kind run in a process of their own, which is ended when
one hangs. Prints `kind: tried N, held N` and every failure with the words that repeat it.
"""

import argparse
import importlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from queue import Empty, Queue

HERE = Path(__file__).resolve().parent
KINDS = {"pictures": 1.0, "manifests": 1.0, "archives": 1.0, "coco": 1.0, "runs": 1.0}  # cases of each, as a multiple of --n
MEMORY = 1_500_000_000  # bytes over what the process had before its first case
FORBIDDEN = {"os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "socket.connect", "pickle.find_class", "pty.spawn"}


def held(found: bool, what: str) -> None:
    "Raise AssertionError where something did not hold"
    if not found:
        raise AssertionError(what)


def files_below(folder: Path) -> dict[str, int]:
    "Every file, link and folder below a folder, with the size of files"
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(parent, name)
            found[str(path.relative_to(folder))] = path.lstat().st_size if path.is_file() else -1
    return found


class Watch:
    "Notes what a case must not do: start programs, connect, unpickle"

    def __init__(self):
        self.on, self.seen = False, []
        sys.addaudithook(self.hook)

    def hook(self, event, args):
        if self.on and event in FORBIDDEN:
            self.seen.append(f"{event}{tuple(str(each)[:80] for each in args)}")


def one_case(module, watch: Watch, seed: int, number: int, keep: str = "") -> str:  # '' when it held
    "Make a case, read it, and say what did not hold"
    rng = random.Random(f"{module.__name__}-{seed}-{number}")
    folder = Path(keep or tempfile.mkdtemp(prefix="fuzz-"))
    what = ""
    try:
        (folder / "input").mkdir(parents=True)
        case = module.make(rng, number, folder / "input")
        what, before = case["what"], files_below(folder)
        watch.seen.clear()
        watch.on = True
        try:
            module.check(case, folder)
        finally:
            watch.on = False
        after = {name: size for name, size in files_below(folder).items() if name.split("/")[0] != "output"}
        held(after == before, f"files changed: {sorted(set(after.items()) ^ set(before.items()))[:3]}")
        held(not watch.seen, f"it did {watch.seen[:2]}")
        return ""
    except BaseException as error:  # a worker says everything, and stops for nothing
        if not isinstance(error, AssertionError):
            where = traceback.extract_tb(error.__traceback__)[-1]
            return f"[{what}] {type(error).__name__} in {Path(where.filename).name}:{where.lineno}: {' '.join(str(error).split())[:300]}"
        return f"[{what}] {' '.join(str(error).split())[:400]}"
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def worker(kind: str, seconds: float) -> None:
    "Read `seed number` lines, write a JSON line for each; imports come before the first"
    os.environ["OMP_NUM_THREADS"] = "1"
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is not an answer
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    from releaf.core.environment import peak_memory
    module, watch = importlib.import_module(f"fuzzing.{kind}"), Watch()
    one_case(module, watch, -1, 0)  # loads what is loaded late
    base = peak_memory()
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 2 * MEMORY, size + 2 * MEMORY))
    answers.write("ready\n")
    for line in sys.stdin:
        seed, number = map(int, line.split())
        signal.setitimer(signal.ITIMER_PROF, seconds)  # at its end the process is ended, whatever it computes
        text = one_case(module, watch, seed, number)
        signal.setitimer(signal.ITIMER_PROF, 0)
        peak = peak_memory() - base
        if not text and peak > MEMORY:
            text = f"{peak / 1e9:.1f} GB over what the process had"
            base = peak_memory()
        answers.write(json.dumps(text) + "\n")


class Worker:
    "A process for the cases of one kind, started again after one that hung or died"

    def __init__(self, kind: str, seconds: float):
        self.kind, self.seconds, self.process = kind, seconds, None

    def start(self) -> None:
        "A new process, ready for cases"
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", self.kind, "--seconds", str(self.seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.lines = Queue()
        threading.Thread(target=self.read, args=(self.process,), daemon=True).start()
        held(self.next(600) == "ready", f"{self.kind}: the worker did not start; see python .ci/fuzz.py --case {self.kind}:0:0")

    def read(self, process) -> None:
        "Pass the lines of a process on, then None"
        for line in process.stdout:
            self.lines.put(line.strip())
        self.lines.put(None)

    def next(self, seconds: float) -> str | None:  # None: it ended; '': it hung
        "The next line"
        try:
            return self.lines.get(timeout=seconds)
        except Empty:
            return ""

    def run(self, seed: int, number: int) -> str:
        "What did not hold of a case; '' when it held"
        if self.process is None:
            self.start()
        self.process.stdin.write(f"{seed} {number}\n")
        self.process.stdin.flush()
        answer = self.next(30 * self.seconds)
        if answer:
            return json.loads(answer)
        code = self.process.wait() if answer is None else 0
        self.stop()
        return (
            "hung, waiting"
            if answer == ""
            else f"hung, more than {self.seconds:g} s"
            if code == -signal.SIGPROF
            else f"the process died ({code})"
        )

    def stop(self) -> None:
        "End the process"
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--n", type=int, default=12, help="cases of each kind")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--kinds", default=",".join(KINDS))
    options.add_argument("--seconds", type=float, default=10, help="of processor time, after which a case hangs")
    options.add_argument("--case", help="KIND:SEED:NUMBER, in this process")
    options.add_argument("--keep", default="", help="a new folder for the files of --case")
    options.add_argument("--worker", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.worker:
        return worker(given.worker, given.seconds)
    if given.case:
        kind, seed, number = given.case.split(":")
        text = one_case(importlib.import_module(f"fuzzing.{kind}"), Watch(), int(seed), int(number), given.keep)
        print(text or "held")
        return bool(text)
    failed = 0
    for kind in given.kinds.split(","):
        if kind not in KINDS:
            options.error(f"--kinds: found {kind!r}, expected {', '.join(KINDS)}")
        process, count, wrong = Worker(kind, given.seconds), max(1, round(given.n * KINDS[kind])), []
        for number in range(count):
            if text := process.run(given.seed, number):
                wrong.append(f"  {kind}:{given.seed}:{number} {text}")
        process.stop()
        print(f"{kind}: tried {count}, held {count - len(wrong)}", *wrong, sep="\n", flush=True)
        failed += len(wrong)
    return bool(failed)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    sys.modules["fuzz"] = sys.modules["__main__"]
    sys.exit(main())
