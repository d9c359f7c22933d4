"""The page without a server, in a real browser: exported, served on loopback, opened in headless Chromium through Playwright.

    python .ci/web.py                                                     as in CI: the package's photographs and drawn frames
    python .ci/web.py --photos FOLDER --count 200 --screens outputs/web   by hand: photographs of class folders, and screenshots

The same photographs go through the network (torch), its graph (ONNX Runtime) and the browser; decisions are compared on random
distributions too, and boxes on drawn scenes and raw output that is drawn. Prints `name: tried N, held N` for each check, and every failure.
"""

import argparse
import base64
import functools
import http.server
import io
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import cv2
import numpy as np
import torch
from PIL import Image
from accessibility import OPTIONS, violations
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from releaf.assistant import Answer, Assistant
from releaf.assistant.things import build_thing
from releaf.core.files import read_json
from releaf.core.paths import tables_dir
from releaf.sample.scenes import draw_scene
from releaf.vision.heads import decide
from releaf.vision.known import drawn_frames
from releaf.vision.predict import Classifier
from releaf.vision.sets import ask_questions, find_sets, ranked
from releaf.waste.rules import bin_matrix, regions
from releaf.waste.taxonomy import load_taxonomy, pair_matrix
from releaf.export.onnx_graph import run_graph
from releaf.web.site import export_site

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]
LANGUAGES = ("en", "de", "fr", "ja")
RESULTS: list[bool] = []


def check(name: str, outcomes: list[tuple[bool, str]]) -> None:
    "Print how many of a check's cases held, and what did not"
    held = sum(bool(good) for good, _ in outcomes)
    RESULTS.append(held == len(outcomes) > 0)
    print(f"{name}: tried {len(outcomes)}, held {held}", flush=True)
    for good, what in outcomes:
        if not good:
            print(f"  {name}: {what}")


class Server:
    "Static files on loopback; it can be stopped"

    def __init__(self, folder: Path):
        quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}/"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()


# ---- what Python says

def told_of(answer: Answer) -> dict:  # state, bin, item, family
    "What an answer says of its first thing"
    if not answer.things:
        return {"state": "nothing", "bin": ""}
    return {"state": answer.things[0].state, "bin": answer.things[0].bin} | {name: answer.rows[0][name] for name in ("item", "family")}


def photographs(folder: str, count: int) -> list[Path]:
    "Photographs of class folders, evenly spaced; those of the package and drawn frames without a folder"
    if not folder:
        return sorted((tables_dir() / "photographs").glob("*.jpg"))
    classes = [sorted(path for path in each.rglob("*") if path.is_file()) for each in sorted(Path(folder).iterdir()) if each.is_dir()]
    share = -(-count // len(classes))
    return [files[int(n)] for files in classes for n in np.linspace(0, len(files) - 1, min(share, len(files)))][:count]


def drawn(folder: Path) -> list[Path]:
    "Frames without an object, as files"
    folder.mkdir(parents=True)
    paths = [folder / f"drawn{n}.png" for n in range(4)]
    for path, pixels in zip(paths, drawn_frames(len(paths), 224, seed=3)):
        Image.fromarray(pixels).save(path)
    return paths


def through_graph(model: bytes, facts: dict, paths: list[Path], head, region: str) -> list[dict]:
    "Family and bin by ONNX Runtime"
    from releaf.data.images import read_image
    taxonomy, found = load_taxonomy(), []
    for path in paths:
        pairs = run_graph(model, read_image(path, facts["image_size"])[None])[0]
        answer = decide(distributions(pairs, head, region), region)
        found.append({"family": taxonomy.families[answer["family"][0]], "bin": taxonomy.bins[answer["bin"][0]]})
    return found


def distributions(pairs: np.ndarray, head, region: str) -> dict[str, np.ndarray]:
    "What the consistent head makes of probabilities of pairs"
    taxonomy = load_taxonomy()
    equivalent = (head.spread > 0).float().numpy() @ pair_matrix(taxonomy, "material") > 0
    return {"pair": pairs, "bin": pairs @ bin_matrix(region), "open_material": pairs @ equivalent,
            **{name: pairs @ pair_matrix(taxonomy, name) for name in ("item", "material", "family")}}


# ---- what the browser says

def open_page(page: Page, address: str) -> float:  # seconds until it was ready
    started = time.monotonic()
    page.goto(address)
    page.wait_for_selector("body[data-ready]", timeout=120_000)
    return time.monotonic() - started


def give(page: Page, path: Path) -> dict:  # state, bin, item, family; milliseconds; cards; status
    "Choose a file and wait for the answer"
    turn = int(page.evaluate("document.getElementById('answer').dataset.done ?? '0'")) + 1
    page.set_input_files("#file", str(path))
    page.wait_for_selector(f"#answer[data-done='{turn}']", state="attached", timeout=120_000)
    page.wait_for_selector(".status.busy", state="detached", timeout=120_000)
    return page.evaluate("""() => { const answer = document.getElementById('answer'), card = answer.querySelector('article');
        return {...(card?.dataset ?? {}), milliseconds: Number(answer.dataset.milliseconds),
                cards: answer.querySelectorAll('article').length, status: document.getElementById('status').textContent}; }""")


DECIDE = """async ([facts, cases]) => {
  const { classify, makeTables } = await import("./js/decide.js"), { buildThing } = await import("./js/things.js");
  const get = async (path) => (await fetch(path)).json(), taxonomy = await get("tables/taxonomy.json"), tables = {};
  const name = (bin) => taxonomy.bins[bin].id;
  const said = (thing) => ({ state: thing.state, bin: thing.bin, bins: thing.bins, keys: thing.replies.map((reply) => reply.key) });
  const found = [];
  for (const [region, pairs, unlikeness] of cases) {
    tables[region] ??= makeTables(taxonomy, await get(`tables/${region}.json`));
    const row = classify({ pairs, unlikeness }, facts, tables[region]), thing = buildThing(row, tables[region]);
    found.push({ pair: row.pair, pairs: row.pairs, bins: row.bins.map(name), thing: said(thing),
      replied: thing.replies.map(({ key }) => said(buildThing(row, tables[region], [key]))) });
  }
  return found;
}"""


def random_cases(count: int, rng: np.random.Generator, spread: np.ndarray) -> list[tuple[str, np.ndarray]]:
    "Distributions over pairs, from nearly certain to nearly even, by region"
    cases = []
    for number in range(count):
        scores = rng.normal(size=len(spread)) * rng.choice([1, 3, 6, 12])
        weights = np.exp(scores - scores.max()).astype(np.float32)
        cases.append((list(regions().index)[number % len(regions())], (weights / weights.sum()) @ spread))
    return cases


def decided(pairs: np.ndarray, region: str, classifier: Classifier, known_p: float) -> dict:
    "The same by Python"
    taxonomy, found = load_taxonomy(), distributions(pairs[None], classifier.model.head, region)
    answer = decide(found, region)
    inside = find_sets(found, answer, classifier.facts, region)
    names = {"item": taxonomy.items, "material": taxonomy.materials, "family": taxonomy.families, "bin": taxonomy.bins}
    row = {head: names[head][answer[head][0]] for head in names}
    row |= {f"{head}_p": float(found[head][0, answer[head][0]]) for head in names}
    row |= {"ask": ask_questions(found, answer, inside, region)[0], "known": True, "known_p": known_p, "found": None,
            "cutout": None, "seen_by": "",
            "box": (0, 0, 1, 1), "pairs": [taxonomy.pairs[n] for n in ranked(found["pair"][0], inside["pair"][0])],
            "bins": [taxonomy.bins[n] for n in ranked(found["bin"][0], inside["bin"][0])]}
    said = lambda thing: {"state": thing.state, "bin": thing.bin, "bins": thing.bins, "keys": [reply.key for reply in thing.replies]}
    thing = build_thing(row, 1, region)
    replied = [said(build_thing(row, 1, region, [reply.key])) for reply in thing.replies]
    return {"pair": taxonomy.pair_index[row["item"], row["material"]], "pairs": [taxonomy.pair_index[pair] for pair in row["pairs"]],
            "bins": row["bins"], "thing": said(thing), "replied": replied}


LOOK = """async ([files, region]) => {
  const { classify, makeTables } = await import("./js/decide.js"), { buildThing, chooseThings } = await import("./js/things.js");
  const get = async (path) => (await fetch(path)).json();
  const tables = makeTables(await get("tables/taxonomy.json"), await get(`tables/${region}.json`));
  const worker = new Worker(new URL("js/worker.js", document.baseURI), { type: "module" }), told = [];
  for (const [id, text] of files.entries()) {
    const file = new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], `${id}.png`);
    const { found, reason, detail } = await new Promise((done) => {
      worker.onmessage = ({ data }) => done(data);
      worker.postMessage({ id, kind: "look", file });
    });
    if (reason) throw new Error(`${reason}: ${detail}`);
    const [whole, ...parts] = found.views.map((view) => ({ ...view, row: classify(view.seen, found.facts, tables) }));
    const { things } = chooseThings(whole, parts, found.believed, found.more);
    told.push({ boxes: parts.map((part) => [...part.box, part.found]),
      things: things.map((thing) => { const { state, bin } = buildThing(thing.row, tables); return { state, bin, box: thing.box }; }) });
  }
  worker.terminate();
  return told;
}"""


def crowded(count: int) -> list[np.ndarray]:  # RGB uint8 [h, w, 3]
    "Photographs of several things: four of the package's in one, small and large, and drawn scenes"
    rng, own = np.random.default_rng(0), [np.asarray(Image.open(path).convert("RGB")) for path in photographs("", 0)]
    scenes = [draw_scene(np.random.default_rng(seed), 1 + seed % 4, size=320 * (1 + seed % 2))[0] for seed in range(count)]
    for number in range(count):
        high, wide = (240, 320) if number % 2 else (900, 1200)
        four = [cv2.resize(own[n], (wide, high), interpolation=cv2.INTER_CUBIC) for n in rng.choice(len(own), 4, replace=False)]
        scenes.append(np.vstack([np.hstack(four[:2]), np.hstack(four[2:])]))
    return scenes


def png(pixels: np.ndarray) -> str:
    "A lossless file, as text"
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


# ---- checks

def paired(own: np.ndarray, theirs: np.ndarray) -> np.ndarray:  # for each of the first the number of the nearest of the others
    "Which box is which: the surest need not come in the same order where two are nearly as sure"
    return np.abs(own[:, None, :4] - theirs[None, :, :4]).max(2).argmin(1)


def check_boxes(page: Page, assistant: Assistant, region: str) -> None:
    "The same boxes, within 1.5 of the pixels that the detector sees, and the same bins as the assistant's; 8-bit weights move an edge by 1"
    scenes, outcomes = crowded(5), []
    theirs = page.evaluate(LOOK, [[png(pixels) for pixels in scenes], region])
    for number, (pixels, found) in enumerate(zip(scenes, theirs)):
        answer = assistant.look(pixels, region)
        own, boxes = answer.seen.boxes[:, :5], np.array(found["boxes"]).reshape(-1, 5)
        pixel = 1.5 * max(1.0, max(pixels.shape[:2]) / assistant.detector.facts["image_size"])
        good = len(own) == len(boxes)
        if good and len(own):
            numbers = paired(own, boxes)
            good = len(set(numbers)) == len(own) and np.abs(own - boxes[numbers])[:, :4].max() <= pixel
        outcomes.append((good, f"scene {number}: {boxes.round(2).tolist()} instead of {own.round(2).tolist()}, within {pixel:.1f}"))
        things, expected = [thing["bin"] for thing in found["things"]], [thing.bin for thing in answer.things]
        if len(things) == len(expected) > 1:
            places = [np.array([each["box"] for each in found["things"]]), np.array([thing.box for thing in answer.things])]
            things = [things[n] for n in paired(places[1], places[0])]
        outcomes.append((things == expected, f"scene {number}: {things} instead of {expected}"))
    count = sum(len(found["boxes"]) for found in theirs)
    check("boxes", [*outcomes, (count >= 20, f"{count} boxes in all, expected at least 20")])


def check_decisions(page: Page, classifier: Classifier, facts: dict, count: int) -> None:
    cases = random_cases(count, np.random.default_rng(7), classifier.model.head.spread.numpy())
    levels = np.array(facts["levels"])  # some of the cases are quite like the photographs of training, some are in doubt
    unlike = [float(levels[int(len(levels) * (0, 0.5, 0.85, 0.95)[number % 4])]) for number in range(count)]
    theirs = page.evaluate(DECIDE, [facts, [[region, pairs.tolist(), each] for (region, pairs), each in zip(cases, unlike)]])
    outcomes = []
    for (region, pairs), each, found in zip(cases, unlike, theirs):
        own = decided(pairs, region, classifier, float(((levels >= each).sum() + 1) / (len(levels) + 1)))
        wrong = [name for name in own if own[name] != found[name]]
        outcomes.append((not wrong, f"{region}: {wrong}: {[(own[name], found[name]) for name in wrong][:1]}"))
    check("decisions", outcomes)


def check_photographs(page: Page, paths: list[Path], assistant: Assistant, site: Path, region: str) -> None:
    classifier, told = assistant.classifier, [told_of(assistant.look(path, region)) for path in paths]
    rows = classifier.predict(paths, region).to_dict("records")
    model, facts = (site / "model" / "classifier.onnx").read_bytes(), read_json(site / "model" / "classifier.json")
    graph = through_graph(model, facts, paths, classifier.model.head, region)
    page.select_option("#region", region)
    seen = [give(page, path) for path in paths]
    outcomes, same = [], {"graph family": 0, "graph bin": 0, "browser family": 0, "browser bin": 0}
    for path, row, own, by_graph, found in zip(paths, rows, told, graph, seen):
        same["graph family"] += not row["known"] or by_graph["family"] == row["family"]
        same["graph bin"] += not row["known"] or by_graph["bin"] == row["bin"]
        same["browser family"] += found.get("family", own.get("family")) == own.get("family") and found["state"] == own["state"]
        same["browser bin"] += found["bin"] == own["bin"]
        outcomes.append((found["bin"] == own["bin"] and found["state"] == own["state"], f"{path.name}: {found} instead of {own}"))
    times = sorted(found["milliseconds"] for found in seen)
    shares = {name: count / len(paths) for name, count in same.items()}
    said = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
    print(f"{len(paths)} photographs, the same as torch: {said}; in the browser "
          f"{statistics.median(times):.0f} ms (median), {times[int(0.95 * (len(times) - 1))]:.0f} ms (95%)")
    if len(paths) < 100:
        check("photographs", outcomes)
    else:
        check("photographs", [(share >= 0.99, f"{name}: {share:.3f}, expected at least 0.99") for name, share in shares.items()])
        for good, what in outcomes:
            if not good:
                print("  differs:", what)


def large_photograph(path: Path, source: Path, megabytes: float = 14) -> None:
    "A phone's photograph: 12 megapixels, lying on its side, with an EXIF tag that says so"
    image = Image.open(source, formats=["JPEG"]).convert("RGB").resize((3024, 4032), Image.Resampling.BICUBIC).rotate(90, expand=True)
    noise = np.random.default_rng(0).normal(0, 16, (image.height, image.width, 3)).astype(np.float32)
    image = Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))
    exif = Image.Exif()
    exif[274] = 6
    for quality in (90, 94, 97, 99):
        content = io.BytesIO()
        image.save(content, "JPEG", quality=quality, exif=exif)
        if content.tell() > megabytes * 1e6:
            break
    path.write_bytes(content.getvalue())


def check_files(page: Page, assistant: Assistant, scratch: Path, region: str) -> None:
    good = tables_dir() / "photographs" / "jar.jpg"
    large = scratch / "large.jpg"
    large_photograph(large, good)
    own, found = told_of(assistant.look(large, region)), give(page, large)
    size = page.evaluate("[...document.querySelectorAll('article canvas')].map((each) => [each.width, each.height])")[0]
    same = found["bin"] == own["bin"] and found["state"] == own["state"]
    check("large photograph", [(same, f"{found} instead of {own}"), (size[0] < size[1], f"cut-out of {size}, expected an upright one")])
    print(f"{large.stat().st_size / 1e6:.1f} MB, 12 megapixels: {found['milliseconds']:.0f} ms")
    (scratch / "damaged.jpg").write_bytes(good.read_bytes()[:200] + b"damage")
    (scratch / "empty.jpg").touch()
    outcomes = []
    for name, says in (("damaged.jpg", "cannot be read"), ("empty.jpg", "empty")):
        found = give(page, scratch / name)
        outcomes.append((says in found["status"] and found["cards"] == 0, f"{name}: {found}"))
    found = give(page, good)
    check("bad files", [*outcomes, (found["cards"] == 1, f"a good one afterwards: {found}")])


def check_region(page: Page, assistant: Assistant) -> None:
    "Another region gives its own bin at once and is remembered; a question is answered; replies can be taken back"
    outcomes, path = [], tables_dir() / "photographs" / "glass_bottle.jpg"
    for region in ("germany", "us", "japan"):
        page.select_option("#region", region)
        found, own = give(page, path), told_of(assistant.look(path, region))
        outcomes.append((found["bin"] == own["bin"], f"{region}: {found} instead of {own}"))
    page.reload()
    page.wait_for_selector("body[data-ready]", timeout=120_000)
    outcomes.append((page.input_value("#region") == "japan", f"after a reload: {page.input_value('#region')}"))
    check("regions", outcomes)
    outcomes = []
    for path in sorted((tables_dir() / "photographs").glob("*.jpg")):
        page.select_option("#region", "germany")
        if give(page, path)["state"] != "ask":
            continue
        for _ in range(4):
            if not page.query_selector("article.ask fieldset button"):
                break
            page.focus("article.ask fieldset button")
            page.keyboard.press("Enter")
        state, focused = page.get_attribute("article", "data-state"), page.evaluate("document.activeElement.className")
        outcomes.append((state == "sure" and focused == "bin", f"{path.name}: after the replies {state}, focus on {focused!r}"))
        page.click("[data-undo]")
        again = page.get_attribute("article", "data-state")
        outcomes.append((again == "ask", f"{path.name}: {again} after its reply was taken back"))
    check("questions", outcomes)


CONTRAST = """() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number), wrong = [];
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (element) => { for (let at = element; at; at = at.parentElement) { const c = numbers(getComputedStyle(at).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  for (const element of document.querySelectorAll("body *")) {
    const said = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!said || !element.getClientRects().length) continue;
    if (["SCRIPT", "NOSCRIPT", "OPTION"].includes(element.tagName)) continue;
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) wrong.push(`${element.tagName}.${element.className}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
  }
  return wrong;
}"""
UNNAMED = """() => [...document.querySelectorAll("input, select, button, a, canvas")]
  .filter((each) => !(each.labels?.[0]?.textContent.trim() || each.getAttribute("aria-label") || each.textContent.trim()))
  .map((each) => each.outerHTML.slice(0, 80))"""


def check_looks(page: Page, screens: Path | None) -> None:
    "No sideways scrolling at the width of a phone, contrast, names for all that can be used, in every language; axe-core agrees"
    outcomes, path = [], tables_dir() / "photographs" / "plastic_bottle.jpg"
    for language in LANGUAGES:
        page.select_option("#language", language)
        give(page, path)
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate("document.documentElement.scrollWidth")
            outcomes.append((wide <= width, f"{language}, {width} px: {wide} px wide"))
            if screens:
                page.screenshot(path=screens / f"{language}-{width}.png", full_page=True)
        outcomes.append((page.get_attribute("html", "lang") == language, f"{language}: lang of the page"))
        outcomes += [(not (wrong := page.evaluate(script)), f"{language}: {wrong}") for script in (CONTRAST, UNNAMED)]
        outcomes.append((not (wrong := violations(Axe().run(page, options=OPTIONS).response)), f"{language}: {wrong}"))
    page.select_option("#language", "en")
    for name in ("glass_bottle.jpg", "newspaper.jpg") if screens else ():
        give(page, tables_dir() / "photographs" / name)
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=screens / f"{Path(name).stem}-{width}.png", full_page=True)
    page.reload()
    page.wait_for_selector("body[data-ready]", timeout=120_000)
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.className")
    reached = [page.keyboard.press("Tab") or page.evaluate("document.activeElement.id") for _ in range(4)]
    outcomes.append((first == "skip" and reached == ["region", "language", "camera", "file"], f"keyboard: {first}, {reached}"))
    check("looks", outcomes)


def check_offline(page: Page, server: Server, path: Path) -> None:
    "With the server stopped, the page is opened anew and looks at a photograph"
    before = give(page, path)
    server.stop()
    page.reload()
    page.wait_for_selector("body[data-ready]", timeout=120_000)
    after = give(page, path)
    same = {name: before.get(name) == after.get(name) for name in ("state", "bin", "item")}
    ready = page.get_attribute("body", "data-ready")
    check("offline", [(ready == "offline", f"it is {ready}"), (all(same.values()), f"{after} instead of {before}")])


def drive(page: Page, server: Server, site: Path, scratch: Path, options) -> None:
    requests: list[str] = []
    errors: list[str] = []
    page.context.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    assistant, facts = Assistant(device="cpu"), read_json(site / "model" / "classifier.json")
    classifier = assistant.classifier
    print(f"ready after {open_page(page, server.address):.1f} s, with everything kept")
    paths = photographs(options.photos, options.count)
    check_decisions(page, classifier, facts, options.decisions)
    check_boxes(page, assistant, "germany")
    check_photographs(page, [*paths, *drawn(scratch / "drawn")], assistant, site, "germany")
    check_files(page, assistant, scratch, "germany")
    check_region(page, assistant)
    check_looks(page, options.screens)
    check_offline(page, server, tables_dir() / "photographs" / "jar.jpg")
    elsewhere = sorted({url for url in requests if not url.startswith((server.address, "blob:", "data:"))})
    check("no other host", [(not elsewhere and len(requests) > 10, f"{len(requests)} requests, to {elsewhere[:3]}")])
    check("no errors in the console", [(not errors, f"{errors[:3]}")])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", default="", help="class folders of photographs")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--decisions", type=int, default=300, help="random distributions")
    parser.add_argument("--runtime", default=None, help="a folder with onnxruntime-web")
    parser.add_argument("--site", type=Path, default=Path("outputs/ci_web"), help="where the site is exported to")
    parser.add_argument("--keep", action="store_true", help="take the site as it lies there")
    parser.add_argument("--screens", type=Path, default=None, help="where screenshots go")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("chromium-browser"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    started = time.monotonic()
    if not options.keep:
        site = export_site(options.site, runtime=options.runtime)
        print(f"exported after {time.monotonic() - started:.0f} s: {json.dumps(site)}")
    if options.screens:
        options.screens.mkdir(parents=True, exist_ok=True)
    scratch, server = Path(tempfile.mkdtemp(prefix="web-")), Server(options.site)
    try:
        with sync_playwright() as play:
            browser = play.chromium.launch_persistent_context(
                str(scratch / "profile"), executable_path=options.chromium, headless=True, args=CHROMIUM, locale="en-US",
                viewport={"width": 360, "height": 800})
            drive(browser.pages[0], server, options.site, scratch, options)
            browser.close()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{time.monotonic() - started:.0f} s")
    sys.exit(not all(RESULTS))


if __name__ == "__main__":
    main()
