"""Draw the tables of nbs/index.ipynb from nbs/results and write README.md from it, or say that either differs (--check)."""
import ast
import json
import os
import re
import sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "nbs" / "index.ipynb"
os.environ["RELEAF_ROOT"] = str(ROOT)  # this checkout's tables and results, and its package
sys.path.insert(0, str(ROOT))


def drawn() -> str:
    "The index notebook with its tables as nbs/results, the recipes, the code and the data's tables make them now"
    notebook, names = json.loads(INDEX.read_text(encoding="utf-8")), {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            *body, last = ast.parse("".join(cell["source"])).body
            exec(compile(ast.Module(body, []), str(INDEX), "exec"), names)
            shown = eval(compile(ast.Expression(last.value), str(INDEX), "eval"), names)
            text = {"text/markdown": shown.data.splitlines(keepends=True), "text/plain": ["<IPython.core.display.Markdown object>"]}
            cell["outputs"] = [{"data": text, "execution_count": None, "metadata": {}, "output_type": "execute_result"}]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def readme(index: str) -> str:
    "The index notebook as Markdown: code with its language, no directives, paths as seen from the root"
    notebook = nbformat.reads(index, as_version=4)
    notebook.metadata["language_info"] = {"name": "python"}
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and cell.source.startswith("#| echo: false"):  # what it shows, without how
            shown = [output["data"]["text/markdown"] for output in cell.outputs if "text/markdown" in output.get("data", {})]
            notebook.cells[place] = nbformat.v4.new_markdown_cell("\n\n".join(shown))
    text, resources = MarkdownExporter().from_notebook_node(notebook)
    if resources.get("outputs"):
        raise SystemExit("nbs/index.ipynb: pictures in outputs would be lost; link to a file instead")
    text = re.sub(r"^#\|.*\n", "", text, flags=re.M).replace("](../", "](").replace("](images/", "](nbs/images/")
    text = text.replace('src="../', 'src="')
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


if __name__ == "__main__":
    index = drawn()
    for target, text in ((INDEX, index), (ROOT / "README.md", readme(index))):
        if "--check" not in sys.argv:
            target.write_text(text, encoding="utf-8")
        elif target.read_text(encoding="utf-8") != text:
            raise SystemExit(f"{target.relative_to(ROOT)} differs from what nbs/index.ipynb draws now; a changed recipe, code or table "
                             "marks the results that depend on it as old: run `python .ci/readme.py`")
