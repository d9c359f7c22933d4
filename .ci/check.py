"""Checks of the notebooks themselves: doors, tags, parameter files, cell ids, sizes, module names."""
import ast
import re
import sys
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(p for p in (ROOT / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
RECIPES = {"multihead": "03_train_multihead.ipynb", "detector": "04_train_detector.ipynb",
           "gnn": "05_train_gnn.ipynb", "llm": "06_train_llm.ipynb"}  # prefix of a parameter file -> its door
MAX_BYTES = 1_500_000


def tagged(notebook) -> list:
    "Cells tagged `parameters`"
    return [c for c in notebook.cells if c.cell_type == "code" and "parameters" in c.metadata.get("tags", [])]


def names(cell) -> set[str]:
    "Names that a cell of parameters sets"
    return {node.target.id for node in ast.parse(cell.source).body if isinstance(node, ast.AnnAssign)}


def problems() -> list[str]:
    "Everything that is wrong, one line each"
    found, modules = [], {}
    for path in NOTEBOOKS:
        where, notebook = path.relative_to(ROOT), nbformat.read(path, as_version=4)
        if any("id" not in cell for cell in notebook.cells):
            found.append(f"{where}: cells without stored ids")
        if path.stat().st_size > MAX_BYTES:
            found.append(f"{where}: {path.stat().st_size / 1e6:.1f} MB, at most {MAX_BYTES / 1e6:.1f}")
        door = re.match(r"0[1-9]_(train|prepare)_", path.name)
        if len(tagged(notebook)) != (1 if door else 0) and path.parent.name == "nbs" and not path.name.startswith(("07", "08", "09")):
            found.append(f"{where}: {len(tagged(notebook))} cells tagged parameters")
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            if re.search(r"^#\|\s*default_exp\s+(\S+)", cell.source, re.M):
                module = re.search(r"^#\|\s*default_exp\s+(\S+)", cell.source, re.M)[1]
                if module in modules:
                    found.append(f"{where}: module {module} is also exported by {modules[module]}")
                modules[module] = where
            lines = cell.source.splitlines()
            if "#| export" in lines and lines[0] != "#| export":
                found.append(f"{where}: a cell exports nothing, its directive is not on the first line: {lines[0][:60]}")
            if lines and lines[0] == "#| export" and len(lines) > 60:
                found.append(f"{where}: an exported cell of {len(lines)} lines: {lines[1][:60]}")
            if any(o.output_type == "error" for o in cell.outputs):
                found.append(f"{where}: a stored output is an error")
    for path in sorted((ROOT / "nbs" / "params").glob("*.yaml")):
        door = ROOT / "nbs" / RECIPES.get(path.stem.split("_")[0], "unknown")
        if not door.exists():
            found.append(f"{path.relative_to(ROOT)}: belongs to no notebook")
            continue
        known = names(tagged(nbformat.read(door, as_version=4))[0])
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(ROOT)}: {key!r} is no parameter of {door.name}" for key in values if key not in known]
        found += [f"{path.relative_to(ROOT)}: {key} is the text {value!r}; write 1.0e-3, not 1e-3" for key, value in values.items()
                  if isinstance(value, str) and re.fullmatch(r"[\d.]+e-?\d+", value)]
    return found


def recipes() -> list[str]:
    "Recipes whose values the door's configuration refuses, or whose network cannot be built"
    from releaf.core import check_config, door_defaults
    from releaf.graph.gnn import GnnConfig
    from releaf.text.sft import LlmConfig, adapter_config
    from releaf.vision.detector import DetectorConfig
    from releaf.vision.heads import make_backbone
    from releaf.vision.multihead_run import MultiheadConfig
    from releaf.vision.yolo_trainer import read_architecture
    found = []
    doors = {"multihead": (MultiheadConfig, lambda config: make_backbone(config.backbone, image_size=config.image_size)),
             "detector": (DetectorConfig, lambda config: read_architecture(config.model)),
             "gnn": (GnnConfig, lambda config: None),
             "llm": (LlmConfig, lambda config: (config.shape, adapter_config(config)))}
    for name, (kind, build) in doors.items():
        defaults = door_defaults(RECIPES[name].removesuffix(".ipynb"))
        for path in sorted((ROOT / "nbs" / "params").glob(f"{name}*.yaml")):
            try:
                build(check_config(kind, {**defaults, **yaml.safe_load(path.read_text(encoding="utf-8"))}))
            except (ValueError, TypeError) as error:
                found.append(f"{path.relative_to(ROOT)}: {error}")
    return found


if __name__ == "__main__":
    wrong = problems() or recipes()
    print("\n".join(wrong) or f"{len(NOTEBOOKS)} notebooks are in order")
    sys.exit(bool(wrong))
