"""Manifests: the contradictions of `releaf.data.faults`, wrong stamps, and files whose bytes are damaged."""

import random
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from fuzz import held
from fuzzing.damage import damaged

from releaf.data.faults import contradict, every_fault, IN_MEMORY, sound_manifest, write_unchecked
from releaf.data.manifest import read_manifest, SCHEMA, write_manifest

STAMPS = ({}, {"taxonomy_hash": "0" * 16}, {"taxonomy_hash": b"\xff\xfe"})


def make(rng: random.Random, number: int, folder: Path) -> dict:
    "A file `manifest.parquet`"
    path, manifest, refused = folder / "manifest.parquet", sound_manifest(folder), True
    kind = {0: "sound", 2: "damaged", 8: "damaged", 3: "stamp"}.get(number % 12, "contradiction")
    if kind == "contradiction":
        kind = rng.choice([name for name in every_fault() if name not in IN_MEMORY])
        write_unchecked(contradict(manifest, kind, rng.randrange(2**31)), path)
    else:
        write_manifest(manifest, path)
    if kind == "stamp":
        pq.write_table(pq.read_table(path).replace_schema_metadata(rng.choice(STAMPS)), path)
    if kind == "damaged":
        content, how = damaged(rng, path.read_bytes())
        path.write_bytes(content)
        kind, refused = f"damaged {how}", None
    return {"what": kind, "path": path, "manifest": manifest, "refused": False if kind == "sound" else refused}


def check(case: dict, folder: Path) -> None:
    "A sound manifest row by row, or an error that names the file; a contradiction never passes"
    try:
        manifest = read_manifest(case["path"])
    except (ValueError, FileNotFoundError) as error:
        held("manifest.parquet" in str(error), f"the error does not name the file: {error}")
        held(case["refused"] is not False, f"a sound manifest was refused: {error}")
        return
    held(not case["refused"], "it was read, and should have been refused")
    held(list(manifest.columns) == SCHEMA.names, f"columns {list(manifest.columns)}")
    if case["refused"] is False:
        same = isinstance(manifest, pd.DataFrame) and manifest["image_id"].tolist() == case["manifest"]["image_id"].tolist()
        held(same, "other rows than were written")
