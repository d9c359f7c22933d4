"""Run folders of a classifier and of a detector: damaged files, and values that prediction must not use."""

import atexit
import json
import random
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import torch
from fuzz import held
from fuzzing.damage import damaged, ODD, places, put
from PIL import Image
from safetensors.torch import load_file, save_file

from releaf.core.checkpoints import save_weights, write_checksums
from releaf.detection.network import build_network
from releaf.detection.predict import load_detector
from releaf.export.hub import HUB
from releaf.vision.heads import make_backbone, WasteClassifier
from releaf.vision.known import KnownDetector, save_known
from releaf.vision.predict import load_classifier
from releaf.waste.label_maps import hash_parts

CODE = (
    "__import__('os').system('touch ran')",
    "nn.SiLU() if open('ran', 'w') else 0",
    "torch.nn.Module.__subclasses__()",
    "hf-hub:owner/model",
    "/etc/passwd",
    "yolov8x.yaml",
    "vit_giant_patch14_224",
    "{{ 7 * 7 }}",
    "file:///etc/passwd",
    10**9,
    [10**9] * 3,
    1e-300,
)
SMALL = {
    "nc": 2,
    "scale": "",
    "yaml_file": "own.yaml",
    "activation": "nn.ReLU()",
    "backbone": [[-1, 1, "Conv", [8, 3, 2]], [-1, 1, "C2f", [8, True]], [-1, 1, "Conv", [16, 3, 2]]],
    "head": [[-1, 1, "nn.Upsample", ["None", 2, "nearest"]], [[2, 3], 1, "Detect", ["nc"]]],
}


@cache
def _sound() -> Path:
    "A classifier and a detector with random weights, and a photograph"
    root = Path(tempfile.mkdtemp(prefix="fuzz-sound-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = WasteClassifier(make_backbone("test_resnet", image_size=32), "consistent", None, "us", 32).eval()
    facts = {
        "backbone": "test_resnet",
        "head": "consistent",
        "image_size": 32,
        "region": "us",
        "tta": 2,
        "channels_last": True,
        "temperature": 1.0,
        "hash_parts": hash_parts(),
        "sets": {"level": 0.9, "groups": 30, "pairs": 0.7, "bins": {"us": 0.6}},
    }
    save_weights(root / "classifier" / "best", model.state_dict(), facts)
    with torch.no_grad():
        width = model.features(torch.zeros(1, 3, 32, 32, dtype=torch.uint8)).shape[1]
    save_known(
        root / "classifier" / "best",
        KnownDetector(
            torch.zeros(width),
            torch.eye(width)[:4].half(),
            torch.ones(4),
            torch.tensor(1.0),
            torch.tensor(1.0),
            torch.zeros(width),
            torch.tensor(0.0),
            torch.arange(30.0),
        ),
    )
    network = build_network(SMALL, ["can", "cup"])
    save_weights(
        root / "detector" / "best",
        network.state_dict(),
        {"architecture": SMALL, "classes": ["can", "cup"], "image_size": 64, "tile": 0, "overlap": 0.2, "threshold": 0.01},
    )
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 100, 3), np.uint8)).save(root / "photo.png")
    return root


def _tensors(rng: random.Random, path: Path) -> str:
    "Change one tensor"
    tensors = load_file(path)
    name = rng.choice(sorted(tensors))
    value = tensors[name]
    how = rng.choice(["nan", "inf", "missing", "more", "shape", "type", "negative"])
    change = {
        "nan": lambda: value.float() * torch.nan,
        "inf": lambda: value.float() + torch.inf,
        "shape": lambda: torch.ones(7, 3),
        "type": lambda: torch.zeros(value.shape, dtype=torch.int64),
        "negative": lambda: -value.float().abs() - 1,
        "missing": lambda: None,
        "more": lambda: value,
    }
    tensors[name] = change[how]()
    if how == "missing":
        del tensors[name]
    elif how == "more":
        tensors["another"] = value.clone()
    save_file({key: each.contiguous() for key, each in tensors.items()}, path)
    return f"{path.name} {name} {how}"


def _json(rng: random.Random, path: Path) -> str:
    "Change one value, or all of it"
    said = json.loads(path.read_text())
    place, new = rng.choice(places(said)), rng.choice(ODD + CODE)
    if rng.random() < 0.1:
        said = new
    elif rng.random() < 0.15:
        said.pop(place[0])
    else:
        put(said, place, new)
    path.write_text(json.dumps(said))
    return f"{path.name} {'.'.join(map(str, place))} = {str(new)[:40]!r}"


def make(rng: random.Random, number: int, folder: Path) -> dict:
    "A copy of a run with one thing wrong; its checksums are right again in half of the cases"
    kind = "classifier" if number % 2 else "detector"
    best = folder / "run" / "best"
    shutil.copytree(_sound() / kind, folder / "run")
    shutil.copyfile(_sound() / "photo.png", folder / "photo.png")
    path, known = rng.choice(sorted(best.iterdir())), number % 4 < 2
    how = "whole" if number % 20 < 2 else rng.choice(["damaged", "json", "json", "json", "tensors", "tensors", "missing", "deep", "pickle"])
    if how == "damaged":
        content, word = damaged(rng, path.read_bytes())
        how = f"{path.name} {word}"
        known = known and path.name != "checksums.json"
        path.write_bytes(content)
    elif how == "json":
        how = _json(rng, best / "config.json")
    elif how == "tensors":
        how = _tensors(rng, rng.choice(sorted(best.glob("*.safetensors"))))
    elif how == "missing":
        path.unlink()
        how, known = f"no {path.name}", known and path.name != "checksums.json"
    elif how == "deep":
        path.write_bytes(b"[" * 100_000)
        how = f"{path.name} deep"
    elif how == "pickle":
        (best / "pytorch_model.bin").write_bytes(b"cposix\nsystem\n(S'touch ran'\ntR.")
        (best / "model.pt").write_bytes(b"cposix\nsystem\n(S'touch ran'\ntR.")
    if known and not how.startswith("checksums.json") and how != "whole":
        (best / "checksums.json").unlink(missing_ok=True)
        write_checksums(best)
    return {
        "what": f"{kind}, {how}, checksums {'new' if known else 'old'}",
        "kind": kind,
        "hub": number % 3 == 0,
        "run": folder / "run",
        "photo": folder / "photo.png",
        "whole": how in ("whole", "pickle"),
        "refused": not known and "config.json" in how and how != "no checksums.json",
    }


def check(case: dict, folder: Path) -> None:
    "Finite answers, or an error that names the file"
    try:
        if case["hub"]:  # the same folder, as one that came from the hub
            model = HUB[case["kind"]].from_pretrained(case["run"], device="cpu", local_files_only=True)
        else:
            model = (load_classifier if case["kind"] == "classifier" else load_detector)(case["run"], "cpu")
        table = model.predict([case["photo"]])
    except (ValueError, FileNotFoundError) as error:
        held(
            any(
                name in str(error)
                for name in (
                    "config.json",
                    "model.safetensors",
                    "known.safetensors",
                    "checksums.json",
                    "/run/best",
                    "own.yaml",
                    "backbone",
                    "architecture",
                )
            ),
            f"the error names no file: {error}",
        )
        held(not case["whole"], f"a sound run was refused: {error}")
        return
    held(table["error"].isna().all(), f"{table['error'].tolist()}")
    numbers = table.select_dtypes("number").to_numpy(dtype=float)
    held(np.isfinite(numbers).all(), f"numbers that are not finite: {table.to_dict('records')[:1]}")
    chances = table[[name for name in table if name.endswith("_p") or name == "score"]].to_numpy(dtype=float)
    held(((chances >= 0) & (chances <= 1.0001)).all(), f"probabilities {chances[:2]}")
