"""Folders with boxes: the cases of `releaf.data.layout_cases`, COCO files with odd values, and files whose bytes are damaged."""

import json
import random
from pathlib import Path

from fuzz import held
from fuzzing.damage import damaged, ODD, places, put

from releaf.data.layout_cases import CASES
from releaf.data.reader_cases import write_coco_case, wrong_with
from releaf.data.readers import read_folder

SOURCE = "trashnet"  # whose labels the cases are drawn with


def _odd_values(rng: random.Random, path: Path) -> None:
    "Some values of a COCO file are of another kind"
    coco = json.loads(path.read_text())
    for place in rng.sample([place for place in places(coco) if len(place) > 2], rng.choice([1, 1, 2, 5])):
        try:
            put(coco, place, rng.choice(ODD))
        except (TypeError, KeyError, IndexError):
            continue  # below a value that was changed
    path.write_text(json.dumps(coco))


def make(rng: random.Random, number: int, folder: Path) -> dict:
    "A folder of photographs and annotations"
    seed, names = rng.randrange(2**31), list(CASES)
    if number % 2 == 0:
        what = rng.choice(names)
        return {"what": what, "drawn": CASES[what](folder, seed), "whole": True, "damaged": False}
    drawn, path, what = write_coco_case(folder, seed, "nothing"), folder / "annotations.json", "odd values"
    if number % 8 == 7:
        content, how = damaged(rng, path.read_bytes())
        path.write_bytes(content)
        what = f"damaged {how}"
    else:
        _odd_values(rng, path)
    return {"what": what, "drawn": drawn, "whole": False, "damaged": what != "odd values"}


def check(case: dict, folder: Path) -> None:
    "Every box accounted for and no photograph turned into background, or an error that says where"
    drawn = case["drawn"]
    try:
        manifest = read_folder(folder / "input", SOURCE, **({"max_unreadable": 0.9, "max_bad_boxes": 1.0} | drawn.options))
    except (ValueError, FileNotFoundError) as error:
        held(not case["whole"] or (bool(drawn.refused) and drawn.refused in str(error)), f"it was refused: {error}")
        named = (str(folder), "annotations.json", *drawn.sizes)
        held(any(name in str(error) for name in named), f"the error names no file: {error}")
        return
    held(not (case["whole"] and drawn.refused), f"it was read, expected an error with {drawn.refused!r}")
    if case["whole"]:
        held(not (wrong := wrong_with(drawn, manifest)), "; ".join(map(str, wrong)))
    if account := manifest.attrs.get("boxes"):
        held(2 * account["found"] == sum(account.values()), f"found is not the sum of the rest: {account}")
    for row in manifest[manifest["drop_reason"].isna()].itertuples():
        boxes, name = [] if row.boxes is None else list(row.boxes), Path(row.path).name
        own = drawn.boxes.get(name, [])
        held(bool(boxes) or case["damaged"] or not own, f"{name} had {len(own)} boxes and is background")
        for box in boxes:
            inside = 0 <= box["x0"] < box["x1"] <= row.width and 0 <= box["y0"] < box["y1"] <= row.height
            held(inside, f"{name}: a box of {box} in {row.width} x {row.height}")
