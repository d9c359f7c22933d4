"""Write README.md from nbs/index.ipynb, or say that it differs (--check)."""
import re
import sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parent.parent


def readme() -> str:
    "The index notebook as Markdown: code with its language, no directives, paths as seen from the root"
    notebook = nbformat.read(ROOT / "nbs" / "index.ipynb", as_version=4)
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
    target = ROOT / "README.md"
    if "--check" not in sys.argv:
        target.write_text(readme(), encoding="utf-8")
    elif target.read_text(encoding="utf-8") != readme():
        raise SystemExit("README.md differs from nbs/index.ipynb: run `python .ci/readme.py`")
