"""How time and memory of the search for copies grow: copies_growth.py [--sizes 500 1000] [--kinds tenth same frames] [--out FILE.json]

Each size runs in a process of its own on files that are drawn: `tenth`, different pictures, one in ten identical to another; `same`,
identical files; `frames`, one scene with noise. By hand: --sizes 10000 30000 100000 --kinds tenth. Linear: seconds and MB a file stay.
"""
import argparse
import json
import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image


def draw(folder: Path, kind: str, count: int) -> list[Path]:
    "Write the files of one kind"
    rng, paths = np.random.default_rng(0), []
    scene = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
    for number in range(count):
        path = folder / f"{number:07}.jpg"
        paths.append(path)
        if number and (kind == "same" or (kind == "tenth" and number % 10 == 9)):
            path.write_bytes(paths[int(rng.integers(number)) if kind == "tenth" else 0].read_bytes())
            continue
        coarse = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8) if kind == "tenth" else scene
        pixels = np.asarray(Image.fromarray(coarse).resize((128, 96), Image.Resampling.BICUBIC), float)
        Image.fromarray((pixels + rng.normal(0, 2, pixels.shape)).clip(0, 255).astype(np.uint8)).save(path, quality=85)
    return paths


def measure(kind: str, count: int) -> dict:
    "Search once; seconds of processor time and memory over the start"
    from releaf.core.environment import peak_memory
    from releaf.data.duplicates import find_duplicates, group_duplicates
    with tempfile.TemporaryDirectory() as folder:
        paths = draw(Path(folder), kind, count)
        find_duplicates(paths[:2], progress=False)  # what is imported at first use does not count
        before, start = peak_memory(), time.process_time()
        pairs = find_duplicates(paths, progress=False)
        groups = group_duplicates(paths, pairs).nunique()
        seconds, used = time.process_time() - start, peak_memory() - before
    return {"kind": kind, "files": count, "seconds": round(seconds, 2), "MB": round(used / 2**20), "pairs": len(pairs), "groups": groups}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 1000])
    parser.add_argument("--kinds", nargs="+", default=["tenth", "same", "frames"], choices=["tenth", "same", "frames"])
    parser.add_argument("--out", type=Path)
    chosen, rows = parser.parse_args(), []
    for kind in chosen.kinds:
        for size in chosen.sizes:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                rows.append(pool.apply(measure, (kind, size)))
            print(rows[-1], flush=True)
            expected = size - size // 10 if kind == "tenth" else 1
            assert abs(rows[-1]["groups"] - expected) <= 0.01 * size, f"{kind}: found {rows[-1]['groups']} groups, expected {expected}"
    if chosen.out:
        chosen.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
