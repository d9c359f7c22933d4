#!/usr/bin/env bash
# The wheel in an environment of its own, used from an empty folder: bash .ci/installed.sh [RUN OF 03] [RUN OF 05]
# Heavy dependencies are lent by the environment that calls; the package itself is the wheel's, and no checkout is in reach.
set -eu
cd "$(dirname "$0")/.."
multihead=${1:+$(realpath "$1")} gnn=${2:+$(realpath "$2")} work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python -m pip wheel -q --no-deps -w "$work" .
python -m venv "$work/env"
lent=$(python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
own=$("$work/env/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
"$work/env/bin/pip" install -q --no-deps "$work"/*.whl
echo "$lent" >"$own/zz_lent.pth"
mkdir "$work/empty" && cd "$work/empty"
unset PYTHONPATH RELEAF_ROOT
export XDG_DATA_HOME=$work/user XDG_CACHE_HOME=$work/cache
"$work/env/bin/releaf" --version
"$work/env/bin/releaf" notebooks notebooks >/dev/null
test -f notebooks/03_train_multihead.ipynb -a -f notebooks/params/gnn_cpu.yaml
if "$work/env/bin/python" -X importtime -c "import releaf.core.paths, releaf.core.files, releaf.core.config, releaf.waste.rules" 2>&1 | grep -q '| *torch$'; then
    echo "the rules import torch" && exit 1
fi
"$work/env/bin/python" - "$multihead" "$gnn" <<'PY'
import sys
from pathlib import Path

import numpy as np
import releaf
from PIL import Image
from releaf.core.paths import find_checkout
from releaf.data.clean import find_duplicates
from releaf.page.app import page_file
from releaf.assistant.texts import text_of
from releaf.text.advise import load_advisor
from releaf.waste.rules import regions, where_to
from releaf.waste.taxonomy import load_taxonomy

assert find_checkout() is None and "site-packages" in releaf.__file__, releaf.__file__
assert page_file("page.js") and page_file("page.css") and text_of("ask", "ja")
pair = load_taxonomy().pairs[0]
assert {where_to(*pair, region).region for region in regions().index} == set(regions().index)
for number in range(2):
    pixels = np.random.default_rng(number).integers(0, 255, (12, 12, 3), np.uint8)
    image = Image.fromarray(pixels).resize((240, 240), Image.BICUBIC)
    image.save(f"{number}.png"), image.transpose(Image.FLIP_LEFT_RIGHT).save(f"{number}_flipped.png")
assert len(find_duplicates(["0.png", "0_flipped.png", "1.png", "1_flipped.png"], progress=False)) == 2
from releaf.core.paths import tables_dir
from releaf.vision.multihead import load_classifier

photographs = sorted((tables_dir() / "photographs").glob("*.jpg"))
told = load_classifier().predict([*photographs, "0.png"], region="germany")
assert len(photographs) >= 10 and told["error"].isna().all() and told["known"].iloc[:-1].mean() > 0.5 and not told["known"].iloc[-1], told
from releaf.export.hub import HubClassifier, load_pretrained

HubClassifier(tables_dir() / "pretrained" / "classifier", "cpu").save_pretrained("passed_on")
again = load_pretrained("passed_on", "cpu").predict([*photographs, "0.png"], region="germany")
assert type(load_pretrained("passed_on", "cpu")) is HubClassifier and again["family"].tolist() == told["family"].tolist(), again
if sys.argv[1]:
    told = load_classifier(sys.argv[1]).predict(["0.png", "1.png"], region="germany")
    assert told["error"].isna().all() and told["bin"].notna().all(), told
if sys.argv[2]:
    from releaf.graph.gnn import load_recommender
    print(load_recommender(sys.argv[2]).recommend("newspaper", 3)[["idea", "score"]])
print("installed and used outside a checkout")
PY
