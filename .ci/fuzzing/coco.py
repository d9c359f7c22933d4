"""Annotated folders: COCO as tools and people leave it, other layouts, and values that do not belong."""

import copy
import json
import random
from pathlib import Path

import numpy as np
from fuzz import held
from fuzzing.damage import damaged, ODD, places, put
from PIL import Image

from releaf.data import readers
from releaf.waste.label_maps import label_sets

SOURCE, SIDES = "sample_scenes", (160, 120)
LABELS = sorted(name for name, mask in label_sets(SOURCE).items() if mask is not None)[:3]


def _base(rng: random.Random, folder: Path, photographs: str = "images") -> dict:
    "Five photographs, four with boxes"
    (folder / photographs).mkdir(parents=True)
    images, annotations = [], []
    for number in range(5):
        pixels = np.random.default_rng(rng.randrange(2**32)).integers(0, 255, (SIDES[1], SIDES[0], 3), np.uint8)
        Image.fromarray(pixels).save(folder / photographs / f"p{number}.png")
        images.append({"id": number + 1, "file_name": f"p{number}.png", "width": SIDES[0], "height": SIDES[1]})
        for _ in range(rng.randint(1, 3) if number < 4 else 0):
            x, y, w, h = rng.randint(1, 90), rng.randint(1, 60), rng.randint(10, 50), rng.randint(10, 50)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number + 1,
                    "category_id": rng.randint(1, 3),
                    "bbox": [x, y, w, h],
                    "area": w * h,
                    "iscrowd": 0,
                }
            )
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": place + 1, "name": name} for place, name in enumerate(LABELS)],
    }


def _each(coco: dict, change, step: int = 1) -> None:
    for row in coco["annotations"][::step]:
        change(row)


def _two_ids(coco: dict) -> None:
    coco["images"] += [{**row, "id": row["id"] + 100} for row in coco["images"]]
    _each(coco, lambda row: row.update(image_id=row["image_id"] + 100), 2)


def _polygon(row: dict) -> None:
    x, y, w, h = row.pop("bbox")
    row["segmentation"] = [[x, y, x + w, y, x + w, y + h, x, y + h]]


def _turned(row: dict) -> None:
    x, y, w, h = row["bbox"]
    row["bbox"] = [x + w, y + h, -w, -h]


EVERY_BOX = {  # forms in which all boxes must arrive, or the file be refused
    "as it is": lambda coco: None,
    "one file under two ids": _two_ids,
    "image ids as text": lambda coco: _each(coco, lambda row: row.update(image_id=str(row["image_id"])), 2),
    "category ids as text": lambda coco: _each(coco, lambda row: row.update(category_id=str(row["category_id"]))),
    "polygons without bbox": lambda coco: _each(coco, _polygon),
    "numbers as text": lambda coco: _each(coco, lambda row: row.update(bbox=[str(value) for value in row["bbox"]])),
    "negative sizes": lambda coco: _each(coco, _turned, 2),
    "relative boxes": lambda coco: _each(
        coco, lambda row: row.update(bbox=[value / SIDES[place % 2] for place, value in enumerate(row["bbox"])])
    ),
    "root category": lambda coco: coco["categories"].insert(0, {"id": 0, "name": "garbage-n1Fm", "supercategory": "none"}),
    "sizes as text": lambda coco: [row.update(width=str(row["width"]), height=str(row["height"])) for row in coco["images"]],
    "backslashes": lambda coco: [row.update(file_name="images\\" + row["file_name"]) for row in coco["images"]],
    "floats as ids": lambda coco: _each(coco, lambda row: row.update(image_id=float(row["image_id"]))),
    "every annotation twice": lambda coco: coco["annotations"].extend([{**row, "id": row["id"] + 1000} for row in coco["annotations"]]),
}
LAYOUTS = {
    "plain": ("annotations.json", "images"),
    "Roboflow": ("train/_annotations.coco.json", "train"),
    "CVAT": ("annotations/instances_default.json", "images"),
}


def make(rng: random.Random, number: int, folder: Path) -> dict:
    "A folder with one annotation file"
    layout = rng.choice(list(LAYOUTS)) if number % 3 == 0 else "plain"
    place, photographs = LAYOUTS[layout]
    coco = _base(rng, folder, photographs)
    true, whole, encode = copy.deepcopy(coco), True, lambda text: text.encode()
    names = list(EVERY_BOX)
    what = names[number % len(names)] if number % 2 == 0 else "odd values"
    if what == "odd values":
        whole = False
        fields = [path for path in places(coco) if len(path) > 2]
        for path in rng.sample(fields, rng.choice([1, 1, 2, 5])):
            try:
                put(coco, path, rng.choice(ODD))
            except (TypeError, KeyError, IndexError):
                continue  # below a value that was changed
    elif layout == "plain":
        EVERY_BOX[what](coco)
    else:
        what = layout
    if rng.random() < 0.2:
        encode = rng.choice(
            [
                lambda text: b"\xef\xbb\xbf" + text.encode(),
                lambda text: text.encode("utf-16"),
                lambda text: text.encode("latin-1", "replace"),
            ]
        )
    content = encode(json.dumps(coco))
    if number % 8 == 7:
        content, how = damaged(rng, content)
        whole, what = False, f"damaged {how}"
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_bytes(content)
    return {"what": f"{layout}, {what}", "file": folder / place, "true": true, "whole": whole, "damaged": what.startswith("damaged")}


def _read(case: dict, folder: Path):
    "By `read_folder`, or by the reader of one file where there is none yet"
    options = {"max_unreadable": 0.9}
    if hasattr(readers, "read_folder"):
        return readers.read_folder(folder / "input", SOURCE, max_bad_boxes=1.0, **options)
    return readers.manifest_from_coco(case["file"], SOURCE, **options)


def check(case: dict, folder: Path) -> None:
    "Every box accounted for and no photograph turned into background, or an error that names a file"
    try:
        manifest = _read(case, folder)
    except (ValueError, FileNotFoundError) as error:
        held(
            any(name in str(error) for name in (case["file"].name, *(row["file_name"] for row in case["true"]["images"]), str(folder))),
            f"the error names no file: {error}",
        )
        return
    if account := manifest.attrs.get("boxes"):
        held(
            account["found"] == sum(count for kind, count in account.items() if kind != "found"),
            f"found is not the sum of the rest: {account}",
        )
    true, boxes = case["true"], {}
    for row in manifest[manifest["drop_reason"].isna()].itertuples():
        boxes.setdefault(Path(row.path).name, []).extend([] if row.boxes is None else list(row.boxes))
    for image in true["images"]:
        own = [row["bbox"] for row in true["annotations"] if row["image_id"] == image["id"]]
        held(
            not own or image["file_name"] not in boxes or boxes[image["file_name"]] or case["damaged"],
            f"{image['file_name']} had {len(own)} boxes and is background",
        )
        if case["whole"]:
            found = sorted([round(each[name]) for name in ("x0", "y0", "x1", "y1")] for each in boxes.get(image["file_name"], []))
            held(
                found == sorted([x, y, x + w, y + h] for x, y, w, h in map(_in_frame, own)),
                f"{image['file_name']}: {len(found)} boxes {found}, expected {own}",
            )
    for each in (box for found in boxes.values() for box in found):
        held(0 <= each["x0"] < each["x1"] <= SIDES[0] and 0 <= each["y0"] < each["y1"] <= SIDES[1], f"a box of {each}")


def _in_frame(box: list) -> list:
    "The part of a box that the photograph has"
    x, y, w, h = box
    return [x, y, min(w, SIDES[0] - x), min(h, SIDES[1] - y)]
