"""The page in a real browser: headless Chromium, driven by Playwright, against `releaf serve` with the packaged weights.

    python .ci/browser.py                                  as in CI, about two minutes
    python .ci/browser.py --only upload,phone --shots DIR  some checks, and screenshots

Each check is a visitor with a browser profile of their own, whose page axe-core looks at when they leave.
Prints a line a check and `browser: tried N, held N` at the end.
"""

import argparse
import asyncio
import functools
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image
from accessibility import OPTIONS, violations
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import async_playwright, expect

from releaf.page.guard import free_port

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
WAIT = 20_000  # milliseconds for an answer: a check of what happens, not of how fast
CHECKS = {}


def check(f):
    "A check, by its name"
    CHECKS[f.__name__] = f
    return f


def held(found, what):
    "AssertionError where something did not hold"
    if not found:
        raise AssertionError(what)


def photograph(name: str = "drink_can.jpg") -> Path:
    "One of the photographs that come with the package"
    return ROOT / "data" / "photographs" / name


@functools.cache
def large() -> bytes:
    "A photograph of a phone: 14 MB or more, with an orientation of its own and a place"
    can = Image.open(photograph(), formats=("JPEG",)).convert("RGB")
    pixels = np.asarray(can.resize((4000, 3000), Image.Resampling.BILINEAR)).astype(np.int16)
    noise = np.random.default_rng(0).integers(-90, 90, (750, 1000, 3), np.int16)
    image = Image.fromarray(np.rot90((pixels + np.tile(noise, (4, 4, 1))).clip(0, 255).astype(np.uint8)))
    exif = Image.Exif()
    exif[274] = 6  # upright again when it is turned clockwise
    exif.get_ifd(0x8825)[1] = "N"
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=97, exif=exif)
    held(14_000_000 < buffer.tell() < 25_000_000, f"the large photograph has {buffer.tell():,} bytes")
    return buffer.getvalue()


def heic() -> bytes:
    "The same can as a phone of another make writes it"
    from pillow_heif import from_pillow
    buffer = io.BytesIO()
    from_pillow(Image.open(photograph(), formats=("JPEG",)).convert("RGB")).save(buffer, quality=90)
    return buffer.getvalue()


class Served:
    "`releaf serve` in a process of its own"

    def __init__(self, scratch: Path, *options: str):
        packaged = (ROOT / "data" / "pretrained" / "detector" / "config.json").is_file()
        self.scratch, self.options, self.process, self.url = scratch, [*options, *([] if packaged else ["--detector", "none"])], None, ""
        self.keep, self.temporary = scratch / "kept", scratch / "tmp"
        self.temporary.mkdir()

    def start(self, port: int = 0) -> float:  # seconds until the address stood there
        "Start it"
        begun = time.monotonic()
        command = [sys.executable, "-c", "from releaf.cli import main; main()", "serve", "--port", str(port), "--keep", str(self.keep)]
        self.log = open(self.scratch / "server.log", "ab")  # noqa: SIM115
        self.process = subprocess.Popen([*command, *self.options], cwd=ROOT, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        env={**os.environ, "TMPDIR": str(self.temporary)})
        for line in self.process.stdout:
            if line.startswith("releaf is at "):
                self.url = line.split()[3]
                return time.monotonic() - begun
        raise AssertionError(f"the server did not start: {(self.scratch / 'server.log').read_text()[-2000:]}")

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def stop(self) -> None:
        "End it as Ctrl-C does"
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        self.log.close()


class Visitor:
    "A browser profile on the page"

    def __init__(self, world, locale="en-US", width=360, height=780, **more):
        self.world, self.locale, self.size, self.more = world, locale, {"width": width, "height": height}, more

    async def __aenter__(self):
        self.context = await self.world.browser.new_context(locale=self.locale, viewport=self.size, service_workers="block", **self.more)
        self.page = await self.context.new_page()
        self.page.on("request", lambda request: self.world.requests.add(request.url.split("?")[0]))
        self.page.on("pageerror", lambda error: self.world.faults.append(str(error)))
        await self.page.goto(self.world.server.url)
        await self.page.wait_for_selector("#rf-region option", state="attached")
        return self

    async def __aexit__(self, *error):
        try:
            if error[0] is None:
                held(not (wrong := await self.violations()), f"{self.locale}, when the visitor leaves: {wrong}")
            elif self.world.shots:
                await self.page.screenshot(path=self.world.shots / "failed.png", full_page=True)
        finally:
            await self.context.close()

    async def choose(self, content, name="photograph.jpg", expect_answer=True):
        "Send a photograph by the file chooser"
        async with self.page.expect_file_chooser() as chooser:
            await self.page.get_by_label(self.text("file")).click()
        files = content if isinstance(content, Path) else {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        serial = await self.page.evaluate("releaf.serial")
        await (await chooser.value).set_files(files)
        if expect_answer:
            await self.answered(serial + 1)

    async def answered(self, serial):
        "Wait for the answer of a request"
        await self.page.wait_for_selector(f'#rf-answers [data-serial="{serial}"]', timeout=WAIT)

    def text(self, key):
        "A text of the page in this visitor's language"
        from releaf.assistant.texts import pick_language, text_of
        return text_of(key, pick_language(self.locale))

    async def words(self, selector="#rf-answers"):
        return await self.page.inner_text(selector)

    async def violations(self):
        "What axe-core says of the page as it stands"
        return violations((await Axe().run(self.page, options=OPTIONS)).response)

    async def shot(self, name):
        if self.world.shots:
            await self.page.screenshot(path=self.world.shots / f"{name}.png", full_page=True)


class World:
    "What the checks share: browser, server, and everything that was asked of any host"

    def __init__(self, browser, server, shots):
        self.browser, self.server, self.shots, self.requests, self.faults = browser, server, shots, set(), []


@check
async def upload(world):
    "A photograph by the file chooser: a card with name, bin, source and date"
    async with Visitor(world) as visitor:
        await visitor.page.select_option("#rf-region", "germany")
        await visitor.choose(photograph())
        told = await visitor.words()
        held("Germany" in told and await visitor.page.locator("#rf-answers .rf-bin strong").count() >= 1, told)
        held(await visitor.page.locator("#rf-answers .rf-cutout").count() >= 1, "no cut-out")
        await visitor.page.get_by_text(visitor.text("based_on")).first.click()
        held("2026" in await visitor.words("#rf-answers dl"), "no date")
        held("Found: 1." in await visitor.words("#rf-status"), "the answer is not said")
        await visitor.shot("phone_en")


@check
async def large_photograph(world):
    "14 MB, turned by its EXIF tag"
    async with Visitor(world) as visitor:
        await visitor.choose(large())
        shape = await visitor.page.evaluate("(i => [i.naturalWidth, i.naturalHeight])(document.querySelector('.rf-cutout'))")
        held(shape[0] >= shape[1], f"not upright: {shape}")


@check
async def heic_photograph(world):
    async with Visitor(world) as visitor:
        await visitor.choose(heic(), "IMG_1.HEIC")
        held(await visitor.page.locator("#rf-answers .rf-thing").count() >= 1, await visitor.words())


@check
async def damaged(world):
    "A damaged file is told in words, and the answer before it is gone"
    async with Visitor(world, "de-DE") as visitor:
        await visitor.choose(photograph())
        await visitor.choose(photograph().read_bytes()[:300], expect_answer=False)
        await expect(visitor.page.locator("#rf-status")).to_contain_text("beschädigt", timeout=WAIT)
        held(await visitor.page.locator("#rf-answers .rf-thing").count() == 0, "the previous answer still stands")
        await visitor.shot("damaged_de")


@check
async def too_large(world):
    "More than 25 MB: refused by the page, and by the server"
    async with Visitor(world) as visitor:
        file = world.server.scratch / "large.jpg"
        file.write_bytes(bytes(26_000_000))
        await visitor.choose(file, expect_answer=False)
        await expect(visitor.page.locator("#rf-status")).to_contain_text("at most 25 MB", timeout=WAIT)
    request = urllib.request.Request(f"{world.server.url}/photograph", data=bytes(26_000_000), method="POST")
    try:
        urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        return held(error.code == 413, f"status {error.code}")
    except (urllib.error.URLError, ConnectionError):
        return None  # closed while it was being sent
    raise AssertionError("26 MB were taken")


@check
async def cleared_at_once(world):
    "While a new photograph is on its way, the previous answer is not to be seen"
    async with Visitor(world) as visitor:
        await visitor.choose(photograph())
        gate = asyncio.Event()

        async def slow(route):
            await gate.wait()
            await route.continue_()

        await visitor.page.route("**/photograph", slow)
        serial = await visitor.page.evaluate("releaf.serial")
        await visitor.choose(photograph("newspaper.jpg"), expect_answer=False)
        await expect(visitor.page.locator("#rf-status")).to_contain_text("Sending", timeout=WAIT)
        held(await visitor.page.locator("#rf-answers .rf-thing").count() == 0, "the previous answer still stands")
        gate.set()
        await visitor.answered(serial + 1)


@check
async def two_visitors(world):
    "Two at once: each sees their own thing, and no one the other's"
    async with Visitor(world) as one, Visitor(world, "de-DE", 1280) as two:
        await asyncio.gather(one.choose(photograph()), two.choose(photograph("newspaper.jpg")))
        first, second = await one.words(), await two.words()
        held("can" in first.lower() and "Zeitung" in second, (first[:200], second[:200]))
        tokens = [await each.page.get_attribute("#rf-answers [data-token]", "data-token") for each in (one, two)]
        pictures = [await each.page.get_attribute(".rf-cutout", "src") for each in (one, two)]
        held(len(set(tokens)) == 2 and len(set(pictures)) == 2, "they share an answer")
        held(tokens[0] not in await two.page.content() and pictures[0] not in await two.page.content(), "one sees what is the other's")
        await two.shot("desktop_de")


@check
async def region_remembered(world):
    "Another region answers anew, and is still chosen after the page is opened again"
    async with Visitor(world, "fr-FR") as visitor:
        held(await visitor.page.input_value("#rf-region") == "france", "the browser's language does not choose the region")
        await visitor.choose(photograph())
        held("bac jaune" in (await visitor.words()).lower(), await visitor.words())
        await visitor.shot("phone_fr")
        serial = await visitor.page.evaluate("releaf.serial")
        await visitor.page.select_option("#rf-region", "japan")
        await visitor.answered(serial + 1)
        held("Japon" in await visitor.words(), await visitor.words())
        await visitor.page.reload()
        await visitor.page.wait_for_selector("#rf-region option", state="attached")
        held(await visitor.page.input_value("#rf-region") == "japan", "the region is not remembered")


@check
async def question_answered(world):
    "The keyboard alone: a question's button is pressed, and the answer has the focus"
    async with Visitor(world, "de-DE") as visitor:
        await visitor.choose(photograph())
        for key in ("item:aluminum_soda_cans", "no_deposit_mark"):
            button = visitor.page.locator(f'#rf-answers button[data-key="{key}"]')
            if key.startswith("item:") and await button.count() == 0:
                continue  # sure enough of what it is
            held(await button.count() == 1, await visitor.words())
            await visitor.shot("question_de")
            serial = await visitor.page.evaluate("releaf.serial")
            await button.focus()
            await visitor.page.keyboard.press("Enter")
            await visitor.answered(serial + 1)
        held(await visitor.page.locator("#rf-answers fieldset").count() == 0, await visitor.words())
        held("Wertstoffe" in await visitor.words("#rf-answers .rf-bin"), await visitor.words())
        held(await visitor.page.evaluate("document.activeElement.classList.contains('rf-bin')"), "the focus is lost")


@check
async def correction_kept(world):
    "What is wrong is kept with the picture if its box is ticked, and `read_folder` reads it"
    from releaf.data.readers import read_folder
    async with Visitor(world) as visitor:
        await visitor.choose(photograph("white_lid.jpg"))
        for item, ticked in (("newspaper", False), ("pizza_box", True)):
            await visitor.page.get_by_text(visitor.text("wrong")).click()
            await visitor.page.select_option("#rf-answers [name=item]", item)
            held(not await visitor.page.is_checked("#rf-answers [name=photo]"), "the box was ticked before")
            await visitor.page.set_checked("#rf-answers [name=photo]", ticked)
            held(not (wrong := await visitor.violations()), wrong)
            if ticked:
                await visitor.shot("correction_en")
            serial = await visitor.page.evaluate("releaf.serial")
            await visitor.page.get_by_role("button", name=visitor.text("send")).click()
            await visitor.answered(serial + 1)
            held("your correction" in await visitor.words(), await visitor.words())
        held("Pizza box" in await visitor.words(), await visitor.words())
    manifest = read_folder(world.server.keep, "corrections")
    held(list(manifest["item"]) == ["pizza_box"] and not Image.open(manifest["path"][0], formats=("JPEG",)).getexif(), manifest)
    rows = [json.loads(line) for line in (world.server.keep / "corrections.jsonl").read_text(encoding="utf-8").splitlines()]
    held([(row["label"], row["picture"]) for row in rows] == [("newspaper", False), ("pizza_box", True)], rows)


@check
async def words(world):
    "A question in words, and one that is markup"
    async with Visitor(world) as visitor:
        for question, says in (("Where does a greasy pizza box go in Germany?", "residual"),
                               ("<img src=x onerror=alert(1)> ${1+1} {{2+2}}", "${1+1} {{2+2}}")):
            serial = await visitor.page.evaluate("releaf.serial")
            await visitor.page.fill("#rf-question", question)
            await visitor.page.keyboard.press("Enter")
            await visitor.answered(serial + 1)
            held(says in await visitor.words(), await visitor.words())
        held(await visitor.page.locator("#rf-answers h2 img").count() == 0, "markup of a visitor is shown as such")
        await visitor.shot("words_en")


@check
async def camera(world):
    "The computer's own camera, where there is a mouse"
    async with Visitor(world, "en-GB", 1280, permissions=["camera"]) as visitor:
        serial = await visitor.page.evaluate("releaf.serial")
        await visitor.page.get_by_label(visitor.text("camera"), exact=True).first.click()
        await visitor.page.wait_for_selector("#rf-dialog[open]")
        await visitor.page.wait_for_function("document.querySelector('#rf-video').videoWidth > 0")
        held(not (wrong := await visitor.violations()), wrong)
        await visitor.page.click("#rf-shoot")
        await visitor.answered(serial + 1)


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const back = (each) => {
    for (; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const each of document.querySelectorAll('#rf-controls *')) {
    const text = [...each.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join('');
    if (!text || !each.checkVisibility()) continue;
    const style = getComputedStyle(each), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const [a, b] = [light(parse(style.color)), light(back(each))].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) bad.push(`${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return bad;
}"""
NAMELESS = """() => [...document.querySelectorAll('#rf-controls :is(input:not([type=hidden]), select, button, img)')]
  .filter((each) => each.checkVisibility()
    && !(each.labels?.[0]?.textContent.trim() || each.textContent.trim() || each.alt || each.ariaLabel))
  .map((each) => each.outerHTML.slice(0, 80))"""



@check
async def phone(world):
    "360 pixels wide in each language, light and dark: no scrolling sideways, contrast AA, a name for each control; axe-core agrees"
    for locale, scheme in (("en-US", "dark"), ("de-DE", "light"), ("fr-FR", "light"), ("ja-JP", "light")):
        async with Visitor(world, locale, color_scheme=scheme, device_scale_factor=2, has_touch=True, is_mobile=True) as visitor:
            held(await visitor.page.evaluate("document.documentElement.lang") == locale[:2], "lang")
            held(visitor.text("heading") in await visitor.words("#rf-controls"), await visitor.words("#rf-controls"))
            held(not (wrong := await visitor.violations()), f"{locale}, before: {wrong}")
            await visitor.choose(photograph("plastic_bottle.jpg" if locale == "ja-JP" else "drink_can.jpg"))
            for each in await visitor.page.query_selector_all("#rf-answers summary"):
                await each.click()
            width = await visitor.page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
            bad, nameless = await visitor.page.evaluate(CONTRAST), await visitor.page.evaluate(NAMELESS)
            await visitor.shot(f"phone_{locale[:2]}_{scheme}_open")
            held(width <= 360, f"{locale}: {width} pixels wide")
            held(not bad, f"{locale}, {scheme}: contrast {bad}")
            held(not nameless, f"{locale}: without a name: {nameless}")


@check
async def in_jupyterlab(world):
    "`serve(inline=True)` in a notebook: the page stands below its cell, and answers there"
    import nbformat
    folder, token = world.server.scratch / "lab", "none-but-this"
    folder.mkdir()
    cell = nbformat.v4.new_code_cell('from releaf.page.app import serve\nserver = serve("germany", port=0, keep=None, inline=True)')
    kernel = {"kernelspec": {"name": "python3", "display_name": "python3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), folder / "page.ipynb")
    port = free_port("127.0.0.1", 0)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", f"--IdentityProvider.token={token}"]
    with open(folder / "lab.log", "ab") as log:
        lab = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True,
                               env={**os.environ, "JUPYTER_CONFIG_DIR": str(folder / "config"), "PYTHONPATH": str(ROOT)})
    context = await world.browser.new_context(viewport={"width": 1280, "height": 1000})
    try:
        page = await context.new_page()
        await until_answers(f"http://127.0.0.1:{port}/api/status?token={token}")
        await page.goto(f"http://127.0.0.1:{port}/lab/tree/page.ipynb?token={token}&reset")
        await page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=6 * WAIT)
        await page.locator(".jp-Spinner").wait_for(state="detached", timeout=6 * WAIT)
        await page.get_by_text("| Idle").first.wait_for(timeout=6 * WAIT)  # before, the lab asks which kernel is meant
        await page.locator(".jp-Notebook .jp-CodeCell").first.click()
        await page.keyboard.press("Shift+Enter")
        frame = page.frame_locator(".jp-OutputArea iframe")
        await frame.locator("#rf-region option").first.wait_for(state="attached", timeout=6 * WAIT)
        held(await frame.locator("#rf-region").input_value() == "germany", "another region")
        await frame.locator("#rf-file").set_input_files(photograph())
        await frame.locator("#rf-answers [data-serial='1'] .rf-bin").wait_for(timeout=2 * WAIT)
        width = await frame.locator("html").evaluate("each => [each.scrollWidth, each.clientWidth]")
        held(width[0] <= width[1], f"{width} pixels wide")
        if world.shots:
            await page.screenshot(path=world.shots / "jupyterlab.png")
    finally:
        await context.close()
        os.killpg(lab.pid, signal.SIGTERM)
        lab.wait(60)


async def until_answers(address: str, seconds: float = 120) -> None:
    "Wait for a server"
    for _ in range(int(seconds * 4)):
        try:
            await asyncio.to_thread(lambda: urllib.request.urlopen(address, timeout=5).close())
            return
        except (urllib.error.URLError, OSError):
            await asyncio.sleep(0.25)
    raise AssertionError(f"{address.split('?')[0]} does not answer")


@check
async def restarted(world):
    "The server stops: that is said. It starts again: the same page, not opened anew, answers"
    async with Visitor(world) as visitor:
        await visitor.choose(photograph())
        port = world.server.port
        world.server.stop()
        await visitor.choose(photograph(), expect_answer=False)
        await expect(visitor.page.locator("#rf-status")).to_contain_text("does not answer", timeout=WAIT)
        world.server.start(port)
        await visitor.choose(photograph("newspaper.jpg"))
        held("ewspaper" in await visitor.words(), await visitor.words())


@check
async def nothing_left(world):
    "No photograph is a file of the machine, and no other host was asked for anything"
    left = [path for path in world.server.temporary.rglob("*") if path.is_file() and path.name != "settings.json"]  # ultralytics' own
    held(not left, f"left in the folder for temporary files: {left[:5]}")
    other = [url for url in world.requests if not url.startswith((world.server.url, "data:", "blob:"))]
    held(not other, f"requests to other hosts: {other[:5]}")
    held(not world.faults, f"faults of the page's script: {world.faults[:5]}")


async def drive(given) -> int:
    "All checks, one after the other"
    scratch, names, failed = Path(tempfile.mkdtemp(prefix="browser-")), given.only.split(",") if given.only else list(CHECKS), []
    server = Served(scratch)
    try:
        print(f"server: {server.start():.1f} s", flush=True)
        async with async_playwright() as playwright:
            world = World(await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS), server, given.shots)
            for name in names:
                begun = time.monotonic()
                try:
                    await CHECKS[name](world)
                    print(f"held   {name} ({time.monotonic() - begun:.1f} s)", flush=True)
                except Exception as error:
                    failed.append(name)
                    where = traceback.extract_tb(error.__traceback__)[-1]
                    print(f"FAILED {name}: {type(error).__name__}: {' '.join(str(error).split())[:600]} (line {where.lineno})", flush=True)
            await world.browser.close()
        server.stop()
        if failed:
            print((scratch / "server.log").read_text()[-3000:])
    finally:
        if server.process is not None and server.process.poll() is None:
            server.process.kill()
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"browser: tried {len(names)}, held {len(names) - len(failed)}")
    return bool(failed)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--only", default="", help=f"some of {','.join(CHECKS)}")
    options.add_argument("--shots", type=Path, help="a folder for screenshots")
    given = options.parse_args()
    if CHROMIUM is None:
        options.error("no Chromium: apt-get install chromium")
    if given.shots:
        given.shots.mkdir(parents=True, exist_ok=True)
    return asyncio.run(drive(given))


if __name__ == "__main__":
    sys.exit(main())
