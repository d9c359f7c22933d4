// Decodes a photograph and runs the networks, beside the page, so that the page never stands still.
import * as ort from "../runtime/ort.wasm.min.mjs";
import { cutOut, letterbox, shrunk, square } from "./pixels.js";
import { inPhotograph, outerBoxes, pickBoxes, withMargin } from "./boxes.js";

const MOST_BYTES = 100_000_000, MOST_PIXELS = 150_000_000, BATCH = 4, SHOWN = 480, FINDING = 1024, MOST = 24;
const here = (path) => new URL(`../${path}`, import.meta.url).href;

ort.env.wasm.wasmPaths = { mjs: here("runtime/ort-wasm-simd-threaded.mjs"), wasm: here("runtime/ort-wasm-simd-threaded.wasm") };
ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;

class Refused extends Error { // a reason that the page has words for
  constructor(reason, slots = {}) {
    super(reason);
    [this.reason, this.slots] = [reason, slots];
  }
}

async function got(path) {
  const answer = await fetch(here(path));
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

async function loadModel(name) {
  const [facts, content] = await Promise.all([got(`model/${name}.json`).then((answer) => answer.json()),
    got(`model/${name}.onnx`).then((answer) => answer.arrayBuffer())]);
  return { facts, session: await ort.InferenceSession.create(new Uint8Array(content), { executionProviders: ["wasm"] }) };
}

let loading = null;
async function models() { // loaded once; after a failure the next call tries again
  loading ??= (async () => {
    const site = await (await got("site.json")).json();
    const classifier = await loadModel("classifier");
    return { classifier, detector: site.detector ? await loadModel("detector") : null };
  })();
  try {
    return await loading;
  } catch (error) {
    loading = null;
    throw error;
  }
}

const millions = (found, most) => ({ found: Math.ceil(found / 1e6), most: most / 1e6 });

async function decoded(file) { // upright, as its EXIF tag says
  if (file.size === 0) throw new Refused("empty");
  if (file.size > MOST_BYTES) throw new Refused("too_large", millions(file.size, MOST_BYTES));
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Refused("unreadable_here");
  }
  const pixels = bitmap.width * bitmap.height;
  if (pixels > MOST_PIXELS) {
    bitmap.close();
    throw new Refused("too_many_pixels", millions(pixels, MOST_PIXELS));
  }
  return bitmap;
}

async function findBoxes(detector, bitmap) {
  const { facts, session } = detector, fitted = letterbox(shrunk(bitmap, FINDING), facts.image_size);
  fitted.scale *= Math.min(1, FINDING / Math.max(bitmap.width, bitmap.height)); // to the photograph's own pixels
  const { raw } = await session.run({ pixels: new ort.Tensor("uint8", fitted.pixels, [1, facts.image_size, facts.image_size, 3]) });
  return outerBoxes(inPhotograph(pickBoxes(raw.data, facts.classes.length, facts.threshold), fitted, bitmap.width, bitmap.height));
}

async function classify(classifier, bitmap, parts) {
  const { facts, session } = classifier, size = facts.image_size, found = [];
  for (let first = 0; first < parts.length; first += BATCH) {
    const some = parts.slice(first, first + BATCH), pixels = new Uint8Array(some.length * size * size * 3);
    some.forEach((part, n) => pixels.set(square(bitmap, part, size), n * size * size * 3));
    const told = await session.run({ pixels: new ort.Tensor("uint8", pixels, [some.length, size, size, 3]) });
    const count = told.pairs.data.length / some.length;
    some.forEach((_, n) => found.push({ pairs: told.pairs.data.slice(n * count, (n + 1) * count), unlikeness: told.unlikeness.data[n] }));
  }
  return found;
}

async function look(file) { // the whole photograph and its parts: what the classifier gives, where each is, and its cut-out
  const started = performance.now(), bitmap = await decoded(file);
  try {
    const { classifier, detector } = await models(), { width, height } = bitmap, ready = performance.now();
    const found = detector ? await findBoxes(detector, bitmap) : [], boxes = found.slice(0, MOST), more = found.length - boxes.length;
    const frames = [[0, 0, width, height], ...boxes.map((box) => withMargin(box, width, height))];
    const seen = await classify(classifier, bitmap, frames);
    const cutouts = await Promise.all(frames.map((frame) => cutOut(bitmap, frame, SHOWN)));
    const views = seen.map((each, n) => ({ seen: each, cutout: cutouts[n], box: n ? boxes[n - 1].slice(0, 4) : null, found: n ? boxes[n - 1][4] : null }));
    return { views, width, height, believed: detector ? detector.facts.believed : null, more, facts: classifier.facts, milliseconds: { all: performance.now() - started, look: performance.now() - ready } };
  } finally {
    bitmap.close();
  }
}

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === "load") {
      await models();
      self.postMessage({ id: data.id, ready: true });
    } else {
      const found = await look(data.file);
      self.postMessage({ id: data.id, found }, found.views.map((view) => view.cutout));
    }
  } catch (error) {
    const { reason, slots } = error instanceof Refused ? error : { reason: "failed_here", slots: {} };
    self.postMessage({ id: data.id, reason, slots, detail: String(error?.message ?? error) });
  }
};
