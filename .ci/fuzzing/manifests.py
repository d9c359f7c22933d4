"""Manifests: a sound one, damaged or contradicting itself."""

import random
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from fuzz import held
from fuzzing.damage import damaged, ODD

from releaf.data.manifest import read_manifest, SCHEMA
from releaf.waste.label_maps import label_sets, taxonomy_hash

SOURCES = ("sample_items", "sample_scenes")
KNOWN = {source: sorted(name for name, mask in label_sets(source).items() if mask is not None) for source in SOURCES}


def _rows(rng: random.Random) -> list[dict]:
    "A sound manifest: photographs by label, and scenes with boxes"
    rows = []
    for number in range(8):
        source = SOURCES[number % 2]
        label = rng.choice(KNOWN[source])
        row = dict.fromkeys(SCHEMA.names) | {
            "image_id": f"{number + 1:064x}",
            "path": f"{source}/{number}.jpg",
            "source": source,
            "width": 100,
            "height": 80,
            "bytes": 5000,
            "phash": "0" * 16,
            "group_id": f"g{number}",
            "split": ("train", "val", "test")[number % 3],
            "licence": "CC0-1.0",
            "domain": "studio",
        }
        if number % 2:
            row |= {"boxes": [{"x0": 1.0, "y0": 2.0, "x1": 30.0, "y1": 40.0, "label": label}]}
        else:
            row |= {"source_label": label, "label_set": f"{source}/{label}"}
        rows.append(row)
    return rows


def _change(rows: list[dict], number: int, **values) -> None:
    rows[number] |= values


CONTRADICTIONS = {  # what a manifest may say against itself: each must be refused
    "one image in two splits": lambda rows, rng: _change(rows, 2, image_id=rows[0]["image_id"]),
    "a row twice": lambda rows, rng: rows.append(dict(rows[0])),
    "a path with two ids": lambda rows, rng: _change(rows, 2, path=rows[0]["path"]),
    "label set of another source": lambda rows, rng: _change(rows, 0, label_set=f"sample_scenes/{KNOWN['sample_scenes'][0]}"),
    "label set against source_label": lambda rows, rng: _change(
        rows, 0, label_set=f"sample_items/{next(n for n in KNOWN['sample_items'] if n != rows[0]['source_label'])}"
    ),
    "unknown label set": lambda rows, rng: _change(rows, 0, label_set="sample_items/nothing"),
    "item against the label": lambda rows, rng: _change(
        rows, 0, item=next(n for n in KNOWN["sample_items"] if n != rows[0]["source_label"])
    ),
    "a box of NaN": lambda rows, rng: _change(rows, 1, boxes=[{**rows[1]["boxes"][0], "x1": float("nan")}]),
    "a box upside down": lambda rows, rng: _change(rows, 1, boxes=[{**rows[1]["boxes"][0], "x0": 50.0}]),
    "a box outside": lambda rows, rng: _change(rows, 1, boxes=[{**rows[1]["boxes"][0], "x1": 5000.0}]),
    "a side of 0": lambda rows, rng: _change(rows, 0, width=0),
    "a side below 0": lambda rows, rng: _change(rows, 0, height=-80),
    "a side of 2 ** 31 - 1": lambda rows, rng: _change(rows, 0, width=2**31 - 1),
    "a reason of empty text": lambda rows, rng: _change(rows, 0, drop_reason=""),
    "a path with NUL": lambda rows, rng: _change(rows, 0, path="a\0b.jpg"),
    "a path that climbs out": lambda rows, rng: _change(rows, 0, path="../../etc/passwd"),
    "no path": lambda rows, rng: _change(rows, 0, path=None),
    "an address": lambda rows, rng: _change(rows, 0, path="http://169.254.169.254/latest"),
    "an unknown split": lambda rows, rng: _change(rows, 0, split="dev"),
    "no group": lambda rows, rng: _change(rows, 0, group_id=None),
    "no id": lambda rows, rng: _change(rows, 0, image_id=None),
    "an id of letters": lambda rows, rng: _change(rows, 0, image_id="x" * 64),
    "a group in two splits": lambda rows, rng: _change(rows, 2, group_id=rows[0]["group_id"]),
}


def _odd_column(rows: list[dict], rng: random.Random) -> pa.Table:
    "A column of another type, missing, or one too many"
    name, table = rng.choice(SCHEMA.names), pa.Table.from_pylist(rows, schema=SCHEMA)
    how = rng.choice(["missing", "more", "text", "lists"])
    if how == "missing":
        return table.drop_columns([name])
    if how == "more":
        return table.append_column("more", pa.array([1] * len(rows)))
    values = [str(rng.choice(ODD)) for _ in rows] if how == "text" else [[1, 2]] * len(rows)
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values))


def make(rng: random.Random, number: int, folder: Path) -> dict:
    "A file `manifest.parquet`"
    rows, path, refused = _rows(rng), folder / "manifest.parquet", True
    stamp = {"taxonomy_hash": taxonomy_hash(), "format": "releaf manifest 1"}
    kind = (
        "sound"
        if number % 12 == 0
        else "column"
        if number % 6 == 1
        else "damaged"
        if number % 6 == 2
        else "stamp"
        if number % 12 == 3
        else "contradiction"
    )
    if kind == "contradiction":
        names = list(CONTRADICTIONS)
        kind = names[number % len(names)]
        CONTRADICTIONS[kind](rows, rng)
    table = _odd_column(rows, rng) if kind == "column" else pa.Table.from_pylist(rows, schema=SCHEMA)
    if kind == "stamp":
        stamp = rng.choice([{}, {"taxonomy_hash": "0" * 16}, {"taxonomy_hash": b"\xff\xfe"}])
    pq.write_table(table.replace_schema_metadata(stamp), path)
    if kind == "damaged":
        content, how = damaged(rng, path.read_bytes())
        path.write_bytes(content)
        kind, refused = f"damaged {how}", None
    return {"what": kind, "path": path, "rows": rows, "refused": False if kind == "sound" else None if kind == "column" else refused}


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
        held(
            isinstance(manifest, pd.DataFrame) and manifest["image_id"].tolist() == [row["image_id"] for row in case["rows"]],
            "other rows than were written",
        )
