"""Checks of the notebooks themselves: form of the numbered ones, parameter files, ids, sizes, grain, imports between folders."""
import ast
import json
import re
import statistics
import sys
import tomllib
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(p for p in (ROOT / "nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
RECIPES = {"multihead": "03_train_multihead.ipynb", "detector": "04_train_detector.ipynb",
           "gnn": "05_train_gnn.ipynb", "llm": "06_train_llm.ipynb"}  # prefix of a parameter file -> its notebook
FLOORS = {"core": (), "waste": ("core",), "sample": ("core", "waste"), "annotations": ("core",),
          "data": ("core", "waste", "sample", "annotations"), "sources": ("core", "waste", "sample", "annotations", "data"),
          "preparation": ("core", "waste", "sample", "annotations", "data", "sources")}
FLOORS |= dict.fromkeys(("vision", "detection", "graph", "text"), ("core", "waste", "sample", "annotations", "data", "sources"))
FLOORS["assistant"] = tuple(FLOORS)  # one photograph through all of them
FLOORS["export"] = tuple(FLOORS)  # models and sets for those who do not use this package
FLOORS["web"] = tuple(FLOORS)  # the same in a browser
FLOORS["page"] = tuple(FLOORS)  # the assistant for visitors' browsers
FLOORS["peers"] = tuple(FLOORS)  # other people's tools beside all of the above
FLOORS["evidence"] = tuple(FLOORS)  # the recorded results and what made them; only the command line is above it
ALIASES = {"data.archives", "data.prepare", "vision.detector"}  # names that others import; the code lives on another floor
MAX_BYTES = 1_500_000
HERE = r"(?<![\w.])/(?:opt|root|work|home/(?!somebody|me))/[\w.-]"  # folders of the machine that a notebook was executed on
LEFT_OVER = r"application/vnd\.jupyter\.widget|\d+%\|[ █▏▎▍▌▋▊▉#]*\| *\d+/\d+"  # widget state, progress bars


def is_numbered(path: Path) -> bool:
    return path.parent.name == "nbs" and path.name[:2].isdigit()


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tagged(notebook) -> list:
    "Cells tagged `parameters`"
    return [cell for cell in code_cells(notebook) if "parameters" in cell.metadata.get("tags", [])]


def names(cell) -> set[str]:
    "Names that a cell of parameters sets"
    return {node.target.id for node in ast.parse(cell.source).body if isinstance(node, ast.AnnAssign)}


def module_of(notebook) -> str | None:
    "The module that a notebook exports"
    found = [match[1] for cell in code_cells(notebook) if (match := re.search(r"^#\|\s*default_exp\s+(\S+)", cell.source, re.M))]
    return found[0] if found else None


def exported(notebook) -> list[str]:
    "Sources of the exported cells, without their directive"
    return [cell.source.split("\n", 1)[1] for cell in code_cells(notebook) if cell.source.startswith("#| export\n")]


def form(path: Path, notebook) -> list[str]:
    "What is wrong with one notebook"
    found, cells = [], code_cells(notebook)
    if any("id" not in cell for cell in notebook.cells):
        found.append("cells without stored ids")
    if path.stat().st_size > MAX_BYTES:
        found.append(f"{path.stat().st_size / 1e6:.1f} MB, at most {MAX_BYTES / 1e6:.1f}")
    if is_numbered(path):
        if len(tagged(notebook)) != 1 or tagged(notebook)[0] not in cells[:3]:
            found.append(f"{len(tagged(notebook))} cells tagged parameters; expected one, among the first three code cells")
        if any(cell.source.startswith("#| export") for cell in cells) or module_of(notebook):
            found.append("a numbered notebook holds library code")
        if any(re.search(r"\btest_(eq|fail|close)\(", cell.source) for cell in cells):
            found.append("a numbered notebook holds checks of the library")
    for cell in cells:
        lines = cell.source.splitlines()
        if "#| export" in lines and lines[0] != "#| export":
            found.append(f"a cell exports nothing, its directive is not on the first line: {lines[0][:60]}")
        if any(output.output_type == "error" for output in cell.outputs):
            found.append("a stored output is an error")
        if re.search(LEFT_OVER, json.dumps(cell.outputs, ensure_ascii=False)):
            found.append(f"a stored output holds a progress bar or widget state: {lines[0][:60]}")
        said = " ".join(str(output.get("text", output.get("data", {}).get("text/plain", ""))) for output in cell.outputs)
        if place := re.search(HERE, said):
            found.append(f"a stored output names a folder of the machine, {place[0]}...: {lines[0][:60]}")
    return found


def imports(source: str) -> set[str]:
    "Modules of this package that a source imports, without `releaf.`"
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("releaf."):
            found.add(node.module.removeprefix("releaf."))
        elif isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("releaf.") for alias in node.names if alias.name.startswith("releaf.")}
    return found


def bare_opens(modules: dict) -> list[str]:
    "Calls of Pillow's `Image.open` that leave the formats to the file: a stranger's file would choose its decoder"
    found = []
    for module, (where, notebook) in modules.items():
        for node in (node for cell in exported(notebook) for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Call)):
            if ast.unparse(node.func) == "Image.open" and "formats" not in {word.arg for word in node.keywords}:
                found.append(f"{where}: {module}: {ast.unparse(node)} without formats=")
    return found


def unsafe_loading(where, code: list[str]) -> list[str]:
    "Calls that could fetch files, run a repository's code or read a pickle"
    found = []
    for call in (node for cell in code for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Call)):
        name, given = ast.unparse(call.func), {word.arg or ast.unparse(word.value) for word in call.keywords}
        if name.startswith("Auto") and name.endswith(".from_pretrained"):
            wanted = "WEIGHTS_FROM_FILES" if name.startswith("AutoModel") else "FROM_FILES"
            if wanted not in given:
                found.append(f"{where}: {name} without **{wanted} of releaf.core.weights")
        elif name.endswith(".from_pretrained") and not {"local_files_only", "FROM_FILES", "WEIGHTS_FROM_FILES"} & given:
            found.append(f"{where}: {name} without local_files_only=True")
        elif name == "torch.load" and "weights_only" not in given:
            found.append(f"{where}: torch.load without weights_only=True")
        elif name in ("pickle.load", "pickle.loads", "eval", "exec", "yaml.load"):
            found.append(f"{where}: {name} runs what it reads")
    return found


def layout(modules: dict) -> list[str]:
    "Modules that import from above or beside; circles; folders that hold too much; packages that the wheel would lack"
    found, graph, lines = [], {}, {}
    for module, (where, notebook) in modules.items():
        folder, code = module.split(".")[0], exported(notebook)
        graph[module] = {name for cell in code for name in imports(cell)}
        lines[folder] = lines.get(folder, 0) + sum(bool(line.strip()) for cell in code for line in cell.splitlines())
        if folder in FLOORS and module not in ALIASES:
            above = [name for name in graph[module] if name.split(".")[0] not in (*FLOORS[folder], folder)]
            found += [f"{where}: {module} imports {name}, which is not below it" for name in above]
    seen, path = set(), []

    def visit(module):
        if module in path:
            found.append(f"import circle: {' -> '.join([*path[path.index(module):], module])}")
        elif module not in seen:
            path.append(module)
            for name in sorted(graph.get(module, ())):
                visit(name)
            seen.add(path.pop())

    for module in sorted(graph):
        visit(module)
    total = sum(lines.values())
    found += [f"nbs/{folder}: {count} of {total} exported lines, more than a fifth"
              for folder, count in lines.items() if 5 * count > total]
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    missing = {f"releaf.{folder}" for folder in lines if folder in FLOORS} - set(packages)
    return found + [f"pyproject.toml: {name} is not among the packages of the wheel" for name in sorted(missing)]


def grain(modules: dict) -> list[str]:
    "Exported cells and modules that are too large to be read at a glance; definitions without checks"
    sizes, large, definitions, checks = [], [], 0, 0
    for module, (_, notebook) in modules.items():
        cells = [cell for cell in exported(notebook)
                 if not all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(cell).body)]
        counts = [sum(bool(line.strip()) for line in cell.splitlines()) for cell in cells]
        sizes += counts
        if sum(counts) > 250:
            large.append(module)
        definitions += sum(isinstance(node, ast.FunctionDef | ast.ClassDef) for cell in cells for node in ast.parse(cell).body)
    for path in NOTEBOOKS:
        for cell in code_cells(nbformat.read(path, as_version=4)):
            if not cell.source.startswith("#| export"):
                checks += len(re.findall(r"\btest_\w+\(|\bassert\b", cell.source))
    median, tenth = statistics.median(sizes), sorted(sizes)[int(0.9 * len(sizes))]
    print(f"exported cells: median {median:.0f} lines, 90th percentile {tenth}; modules above 250 lines: {', '.join(large) or 'none'}; "
          f"{checks} checks for {definitions} definitions ({checks / definitions:.2f})")
    bounds = [(median <= 12, f"median exported cell of {median} lines, at most 12"),
              (tenth <= 30, f"90th percentile of {tenth} lines, at most 30"),
              (len(large) <= 5, f"{len(large)} modules above 250 exported lines, at most 5"),
              (checks >= 1.3 * definitions, f"{checks} checks for {definitions} definitions, at least 1.3 each")]
    return [text for holds, text in bounds if not holds]


def problems() -> list[str]:
    "Everything that is wrong, one line each"
    found, modules = [], {}
    for path in NOTEBOOKS:
        where, notebook = path.relative_to(ROOT), nbformat.read(path, as_version=4)
        found += [f"{where}: {text}" for text in form(path, notebook)]
        if module := module_of(notebook):
            if module in modules:
                found.append(f"{where}: module {module} is also exported by {modules[module][0]}")
            modules[module] = (where, notebook)
            found += unsafe_loading(where, exported(notebook))
    return found + layout(modules) + bare_opens(modules) + grain(modules) + parameter_files()


def parameter_files() -> list[str]:
    "Recipes that name parameters their notebook does not have"
    found = []
    for path in sorted((ROOT / "nbs" / "params").glob("*.yaml")):
        owner = ROOT / "nbs" / RECIPES.get(path.stem.split("_")[0], "unknown")
        if not owner.exists():
            found.append(f"{path.relative_to(ROOT)}: belongs to no notebook")
            continue
        known = names(tagged(nbformat.read(owner, as_version=4))[0])
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(ROOT)}: {key!r} is no parameter of {owner.name}" for key in values if key not in known]
        found += [f"{path.relative_to(ROOT)}: {key} is the text {value!r}; write 1.0e-3, not 1e-3" for key, value in values.items()
                  if isinstance(value, str) and re.fullmatch(r"[\d.]+e-?\d+", value)]
    return found


def recipes() -> list[str]:
    "Recipes whose values the notebook's configuration refuses, or whose network cannot be built"
    from releaf.core.config import check_config, notebook_defaults
    from releaf.detection.config import DetectorConfig
    from releaf.detection.network import read_architecture
    from releaf.graph.config import GnnConfig
    from releaf.text.sft_config import LlmConfig
    from releaf.text.sft import adapter_config
    from releaf.vision.config import MultiheadConfig
    from releaf.vision.heads import make_backbone
    found = []
    owners = {"multihead": (MultiheadConfig, lambda config: make_backbone(config.backbone, image_size=config.image_size)),
              "detector": (DetectorConfig, lambda config: read_architecture(config.model)),
              "gnn": (GnnConfig, lambda config: None),
              "llm": (LlmConfig, lambda config: (config.shape, adapter_config(config)))}
    for name, (kind, build) in owners.items():
        defaults = notebook_defaults(RECIPES[name].removesuffix(".ipynb"))
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
