// The page: a photograph in, the bin of each thing out. What is decided is decided in js/; here it is shown.
import { classify, makeTables, WHICH } from "./js/decide.js";
import { buildThing, chooseThings, IS_WASTE, NO_WASTE, UNKNOWN } from "./js/things.js";

const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", ja: "日本語" };
const HOME = { de: "germany", fr: "france", ja: "japan", "en-gb": "england", "en-sg": "singapore" }; // a first guess, by the browser's language
const at = (id) => document.getElementById(id);
const state = { language: "en", region: "us", texts: {}, tables: {}, regions: [], taxonomy: null, found: null, said: new Map(), turn: 0 };

// ---- what is remembered on this device; a browser that forbids it forgets

const remembered = (name) => { try { return localStorage.getItem(`releaf.${name}`); } catch { return null; } };
const remember = (name, value) => { try { localStorage.setItem(`releaf.${name}`, value); } catch { /* private windows */ } };

// ---- words

async function json(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

const words = () => state.texts[state.language];
function say(key, values = {}) { // a sentence of the page
  return words().page[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
const first = (text) => text.charAt(0).toLocaleUpperCase(state.language) + text.slice(1);
const tables = () => state.tables[state.region];

const inWords = (text) => words().words[text] ?? text; // a text of the tables, in the page's language where somebody has translated it
const binWords = (bin) => inWords(tables().rules.bins[bin]); // as the region calls it
const itemName = (pair) => inWords(state.taxonomy.items[tables().item[pair]].name);
const comma = () => (state.language === "ja" ? "、" : ", ");
const regionName = (region) => say(`region:${region}`);

function thingName(thing) { // no more exact than is known, and what it may be
  const { said, families } = state.taxonomy;
  if (thing.keep) return [first(inWords(said.keep_name)), ""];
  if (thing.ask === UNKNOWN) return [first(inWords(said.unknown_name)), ""];
  if (thing.settled) return [first(itemName(thing.pair)), ""];
  const names = [...new Set(thing.pairs.map(itemName))].slice(0, 3).join(comma());
  const title = say("something", { stuff: inWords(families[tables().family[thing.row.pair]].name), names });
  const [, short, also] = title.match(/^(.+?)\s*[(（](.+)[)）]$/) ?? [null, title, ""];
  return [first(short), first(also)];
}

function sureness(thing) { // how sure the classifier is of what is named
  if (!thing.bin || thing.said.some((key) => key.startsWith("item:"))) return "";
  const percent = Math.min(99, Math.max(1, Math.round(100 * (thing.settled ? thing.row.item_p : thing.row.family_p))));
  return say("sure", { percent });
}

// ---- elements

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") element.addEventListener("click", value);
    else if (value !== null && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}
const told = (text) => (state.language === "en" || text in words().words ? inWords(text) : make("span", { lang: "en" }, text)); // marked where it stays English

function status(text, kind = "") {
  at("status").textContent = text;
  at("status").className = `status ${kind}`;
}

// ---- one thing

function cutout(view, name) {
  const canvas = make("canvas", { role: "img", "aria-label": say("cutout", { name }) });
  [canvas.width, canvas.height] = [view.cutout.width, view.cutout.height];
  canvas.getContext("2d").drawImage(view.cutout, 0, 0);
  return make("figure", {}, canvas);
}

function replyWords(key) {
  const { items, said } = state.taxonomy;
  return first(inWords(key.startsWith("item:") ? items.find((item) => item.id === key.slice(5)).name : said.conditions[key]));
}

function question(thing, number) {
  const { said } = state.taxonomy, text = inWords(thing.ask === WHICH ? said.which : thing.ask === UNKNOWN ? said.unknown : thing.ask);
  const buttons = thing.replies.map(({ key, bin }) => make("button", { type: "button", "data-reply": key, onclick: () => reply(number, key) },
    replyWords(key), bin ? make("span", {}, `→ ${binWords(bin)}`) : ""));
  return make("fieldset", {}, make("legend", {}, text), make("div", { class: "replies" }, ...buttons));
}

function sourceLine(option) {
  const name = !option.source ? say("general") : option.url ? make("a", { href: option.url, rel: "noreferrer noopener", target: "_blank", lang: "en" }, option.source)
    : make("span", { lang: "en" }, option.source);
  const line = make("p", { class: "small" }, make("strong", {}, say("source")), " ", name, option.date_read ? ` · ${say("date")} ${option.date_read}` : "");
  if (!option.sure) line.append(` · ${say("rule_unsure")}`);
  return line;
}

function hazards(thing) {
  const { taxonomy, item } = tables();
  if (thing.keep || thing.ask === UNKNOWN) return "";
  if (thing.settled) {
    const [gravest, ...others] = taxonomy.hazards[thing.pair];
    if (!gravest) return "";
    const more = make("details", {}, make("summary", {}, `+ ${others.length}`), make("ul", {}, ...others.map((line) => make("li", {}, told(line)))));
    return make("div", { class: "danger" }, make("p", {}, make("strong", {}, say("care")), " ", told(gravest)), others.length ? more : "");
  }
  const names = [...new Map(thing.grave.map((pair) => [item[pair], itemName(pair)])).values()].slice(0, 3);
  return names.length ? make("p", { class: "danger" }, make("strong", {}, `${say("care")} `), say("may_be", { names: names.join(` ${say("or")} `) })) : "";
}

function parts(thing) {
  const { taxonomy, item, rules } = tables();
  const rows = thing.settled && thing.option ? rules.parts[taxonomy.items[item[thing.pair]].id] ?? [] : [];
  if (!rows.length) return "";
  const line = (row) => make("li", {}, make("strong", {}, told(row.name)), " → ", row.bin ? binWords(row.bin) : say("stays_on"), " ",
    make("span", { class: "small" }, told(row.how)));
  return make("div", { class: "parts" }, make("p", {}, make("strong", {}, say("parts"))), make("ul", {}, ...rows.map(line)));
}

function basis(thing) { // what the answer rests on
  const { taxonomy, item, material, rules } = tables(), { row } = thing, percent = (value) => `${Math.round(100 * value)} %`;
  const chance = new Map();
  for (const pair of row.pairs) chance.set(item[pair], (chance.get(item[pair]) ?? 0) + row.found.pair[pair]);
  const likely = [...chance].sort((a, b) => b[1] - a[1]).slice(0, 5).map(([n, p]) => `${inWords(taxonomy.items[n].name)} ${percent(p)}`);
  const lines = [["likely", likely.join(comma())]];
  if (thing.option) {
    lines.push(["row", `${rules.region}/${taxonomy.items[item[thing.rulePair]].id}/${taxonomy.materials[material[thing.rulePair]].id}/${thing.option.condition}`]);
    if (thing.option.note) lines.push(["note", told(thing.option.note)]);
  }
  return make("details", {}, make("summary", {}, say("based_on")),
    make("dl", {}, ...lines.flatMap(([key, value]) => [make("dt", {}, say(key)), make("dd", {}, value)])), make("p", { lang: "en" }, rules.note));
}

function card(view, number) {
  const thing = view.thing, [name, also] = thingName(thing), said = state.said.get(number) ?? [];
  const lead = make("span", {}, `${say(thing.state === "sure" ? "goes_to" : "probably")} · ${regionName(state.region)}`);
  const binLine = thing.bin ? make("p", { class: "bin", tabindex: "-1" }, lead, first(binWords(thing.bin))) : "";
  const steps = (thing.option?.prepare ?? "").replaceAll(". ", ".\n").split("\n").filter(Boolean).map((step) => make("li", {}, told(step)));
  const small = [also, sureness(thing)].filter(Boolean).map((text) => make("p", { class: "small" }, text));
  const inside = make("div", { class: "words" }, make("h2", { id: `thing-${number}` }, name), ...small, hazards(thing),
    thing.ask === UNKNOWN ? make("p", {}, `${say("no_bin")} ${say("better_photo")}`) : "", thing.keep ? make("p", {}, say("keep_it")) : "",
    binLine, steps.length ? make("ul", { class: "steps" }, ...steps) : "", thing.ask ? question(thing, number) : "", thing.option ? sourceLine(thing.option) : "", parts(thing),
    said.length ? make("button", { type: "button", "data-undo": "", onclick: () => reply(number, null) }, say("undo")) : "", basis(thing));
  const { items, materials, families } = state.taxonomy, { item, material, family } = tables(), { pair } = thing.row;
  return make("article", { class: `thing ${thing.state}`, "aria-labelledby": `thing-${number}`, "data-number": number, "data-state": thing.state,
    "data-item": items[item[pair]].id, "data-material": materials[material[pair]].id, "data-family": families[family[pair]].id,
    "data-bin": thing.bin, "data-known": String(thing.row.known), "data-ask": thing.ask }, cutout(view, name), inside);
}

// ---- the answer

function chosen(found) { // the things of a photograph under the region's rules
  const [whole, ...rest] = found.views.map((view) => ({ ...view, row: classify(view.seen, found.facts, tables()) }));
  return chooseThings(whole, rest, found.believed, found.more);
}

function show(focus = null) {
  const answer = at("answer");
  answer.replaceChildren();
  if (!state.found) return;
  const { things, note, left } = chosen(state.found);
  things.forEach((view, n) => {
    const thing = buildThing(view.row, tables(), state.said.get(n + 1) ?? []);
    answer.append(card({ ...view, thing }, n + 1));
  });
  if (note === "nothing") {
    answer.append(make("article", { class: "thing unknown", "data-state": "nothing", "data-bin": "" }, cutout(state.found.views[0], say("found_none")),
      make("div", { class: "words" }, make("h2", {}, say("found_none")), make("p", {}, say("better_photo")))));
  }
  if (note === "more") answer.append(make("p", { class: "small" }, say("more", { count: left })));
  answer.dataset.done = String(state.turn);
  if (focus !== null) (answer.querySelector(`[data-number="${focus}"] button, [data-number="${focus}"] .bin`) ?? answer).focus();
}

function reply(number, key) {
  const before = state.said.get(number) ?? [];
  state.said.set(number, key === null ? [] : key.startsWith("item:") ? [...before.filter((each) => each === IS_WASTE), key] : [...before, key]);
  show(number);
}

// ---- the worker that looks at photographs

const waiting = new Map();
let worker = null, asked = 0;
function ask(message) {
  if (!worker) {
    worker = new Worker(new URL("js/worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => { waiting.get(data.id)?.resolve(data); waiting.delete(data.id); };
    worker.onerror = () => { // its script could not be loaded, or it ran out of memory: the next call starts another
      for (const { resolve } of waiting.values()) resolve({ reason: "failed_here", detail: "the worker ended" });
      waiting.clear();
      worker.terminate();
      worker = null;
    };
  }
  const id = ++asked;
  return new Promise((resolve) => { waiting.set(id, { resolve }); worker.postMessage({ ...message, id }); });
}

async function look(file) {
  const turn = ++state.turn;
  [state.found, state.said] = [null, new Map()]; // the previous answer goes at once
  show();
  status(say("looking"), "busy");
  const started = performance.now();
  await kept;
  const { found, reason, slots, detail } = await ask({ kind: "look", file });
  if (turn !== state.turn) return; // another photograph was chosen meanwhile
  if (!found) {
    console.warn(detail);
    status(say(reason, slots), "bad");
    at("answer").dataset.done = String(turn);
    return;
  }
  state.found = found;
  show();
  status(say("done", { seconds: new Intl.NumberFormat(state.language, { maximumFractionDigits: 1 }).format((performance.now() - started) / 1000) }));
  at("answer").dataset.milliseconds = Math.round(found.milliseconds.look);
  at("answer").focus({ preventScroll: true });
  at("status").scrollIntoView({ block: "start", behavior: "smooth" });
}

// ---- settings

async function useLanguage(language) {
  state.texts[language] ??= await json(`texts/${language}.json`);
  state.language = language;
  document.documentElement.lang = language;
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  at("region").replaceChildren(...state.regions.map((region) => make("option", { value: region }, regionName(region))));
  at("region").value = state.region;
}

async function useRegion(region) {
  state.tables[region] ??= makeTables(state.taxonomy, await json(`tables/${region}.json`));
  state.region = region;
  // a reply holds in another region where it says what a thing is; conditions are asked anew
  for (const [number, said] of state.said) state.said.set(number, said.filter((key) => key.startsWith("item:") || key === IS_WASTE || key === NO_WASTE));
}

function settings() {
  at("language").replaceChildren(...Object.entries(LANGUAGES).map(([value, name]) => make("option", { value, lang: value }, name)));
  at("language").value = state.language;
  at("language").addEventListener("change", async ({ target }) => {
    await useLanguage(target.value);
    remember("language", target.value);
    show();
  });
  at("region").addEventListener("change", async ({ target }) => {
    await useRegion(target.value);
    remember("region", target.value);
    show();
  });
}

function inputs() {
  for (const id of ["camera", "file"]) {
    at(id).addEventListener("change", ({ target }) => {
      const [file] = target.files;
      target.value = ""; // the same photograph may be chosen again
      if (file) look(file);
    });
  }
  const pick = at("pick");
  addEventListener("dragover", (event) => { event.preventDefault(); pick.classList.add("over"); });
  addEventListener("dragleave", () => pick.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    pick.classList.remove("over");
    if (event.dataTransfer.files.length) look(event.dataTransfer.files[0]);
  });
  addEventListener("paste", ({ clipboardData }) => { if (clipboardData?.files.length) look(clipboardData.files[0]); });
}

// ---- offline: the service worker keeps all files of this version; models are loaded when it has them, so that nothing is fetched twice

let kept = Promise.resolve(false);
async function keepOffline() {
  if (!("serviceWorker" in navigator)) return false;
  try {
    const registration = await navigator.serviceWorker.register("sw.js");
    const installing = registration.installing;
    const failed = installing && new Promise((resolve) => installing.addEventListener("statechange", () => { if (installing.state === "redundant") resolve(false); }));
    return await Promise.race([navigator.serviceWorker.ready.then(() => true), ...(failed ? [failed] : [])]);
  } catch {
    return false;
  }
}

async function start() {
  const wished = remembered("language") ?? navigator.language.slice(0, 2);
  const [site, taxonomy] = await Promise.all([json("site.json"), json("tables/taxonomy.json")]);
  [state.taxonomy, state.regions] = [taxonomy, site.regions];
  const tag = navigator.language.toLowerCase(), region = remembered("region") ?? HOME[tag] ?? HOME[tag.slice(0, 2)] ?? "us";
  await useRegion(site.regions.includes(region) ? region : site.regions[0]);
  await useLanguage(wished in LANGUAGES ? wished : "en");
  settings();
  if (typeof OffscreenCanvas === "undefined" || typeof WebAssembly === "undefined") {
    status(say("old_browser"), "bad");
    return;
  }
  inputs();
  status(say("loading"), "busy");
  kept = keepOffline();
  const offline = await kept, { reason, detail } = await ask({ kind: "load" });
  if (reason) console.warn(detail);
  at("about").textContent = say("about", { release: site.release, version: site.version });
  if (state.turn === 0) status(reason ? say("not_loaded") : say(offline ? "ready_offline" : "ready"), reason ? "bad" : "");
  document.body.dataset.ready = reason ? "failed" : offline ? "offline" : "online";
}

start().catch((error) => {
  console.error(error);
  status(state.texts[state.language] ? say("not_loaded") : "The page could not be loaded. Try again with a connection.", "bad");
  document.body.dataset.ready = "failed";
});
