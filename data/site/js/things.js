// What to do with a thing, from what was seen and what was said: the decisions of releaf.assistant.
import { WHICH } from "./decide.js";

const SETTLED = 0.5; // probability from which an item or a material is named
const MOST_REPLIES = 8;
const ASKED_ABOUT = ["deposit"]; // bins that are asked about where one likely pair leads there
const DOUBT = 0.3; // as in releaf.assistant.things
const LOOKALIKES = { paper: ["wood"] };
const BOXED = 0.005, PART = 0.05, EMPTY = 0.3; // as in releaf.assistant.looking
export const IS_WASTE = "waste", NO_WASTE = "no_waste", UNKNOWN = "unknown";

function readReplies(said) { // the later of two items counts
  const items = said.filter((key) => key.startsWith("item:")).map((key) => key.slice(5));
  const waste = said.includes(NO_WASTE) ? false : said.includes(IS_WASTE) || items.length ? true : null;
  return { item: items.at(-1) ?? "", waste, conditions: new Set(said.filter((key) => ![IS_WASTE, NO_WASTE].includes(key) && !key.startsWith("item:"))) };
}

function leftOf(pair, tables, conditions) { // the answers of a pair's rule that what was said leaves open, the assumed one first
  const options = tables.options[pair];
  const fitting = options.filter((option) => conditions.has(option.condition)).map((option) => ({ ...option, ask: "" }));
  return fitting.length ? fitting : options;
}

function lookAlikes(row, tables, said) { // pairs that a doubtful thing may be though the classifier was never taught them
  const open = row.known_p !== null && row.known_p < DOUBT && !said.item && !said.conditions.size;
  const name = (pair) => tables.taxonomy.families[tables.family[pair]].id;
  const families = open ? LOOKALIKES[name(row.pair)] ?? [] : [];
  return [...tables.family.keys()].filter((pair) => families.includes(name(pair)));
}

function likelyPairs(row, tables, said) { // the pairs that are left, the answer first
  let pairs = [...new Set([row.pair, ...row.pairs])];
  const itemOf = (pair) => tables.taxonomy.items[tables.item[pair]].id;
  if (said.item) {
    const own = [...tables.item.keys()].filter((pair) => itemOf(pair) === said.item);
    const both = pairs.filter((pair) => own.includes(pair));
    pairs = both.length ? both : own;
  }
  pairs = [...new Set([...pairs, ...lookAlikes(row, tables, said)])];
  const fitting = pairs.filter((pair) => tables.options[pair].some((option) => said.conditions.has(option.condition)));
  return fitting.length ? fitting : pairs;
}

function conditionReplies(pairs, tables, said, question) { // one reply a condition
  const found = new Map();
  for (const option of pairs.flatMap((pair) => leftOf(pair, tables, said.conditions))) {
    if (option.ask === question && !found.has(option.condition)) found.set(option.condition, { key: option.condition, bin: option.bin });
  }
  return [...found.values()];
}

function whichReplies(pairs, tables, said) { // a reply for each likely item; at least one for each bin
  const options = new Map();
  for (const pair of pairs) {
    const item = tables.taxonomy.items[tables.item[pair]].id;
    options.set(item, [...(options.get(item) ?? []), ...leftOf(pair, tables, said.conditions)]);
  }
  const items = [...options.keys()], byBin = new Map();
  for (const item of [...items].reverse()) byBin.set(options.get(item)[0].bin, item);
  const first = [...byBin.values()];
  const chosen = [...items.filter((item) => first.includes(item)), ...items.filter((item) => !first.includes(item))];
  const kept = chosen.slice(0, Math.max(MOST_REPLIES, first.length));
  return items.filter((item) => kept.includes(item)).map((item) => {
    const bins = new Set(options.get(item).map((option) => option.bin));
    return { key: `item:${item}`, bin: bins.size === 1 ? options.get(item)[0].bin : "" };
  });
}

function openQuestion(pairs, tables, said, bins, wanted) {
  const own = leftOf(pairs[0], tables, said.conditions)[0].ask;
  const single = bins.length < 2 || new Set(pairs.map((pair) => tables.item[pair])).size === 1;
  for (const question of [wanted, single ? own : ""]) {
    const replies = question ? conditionReplies(pairs, tables, said, question) : [];
    if (replies.length > 1) return { ask: question, replies };
  }
  const replies = bins.length > 1 ? whichReplies(pairs, tables, said) : [];
  return replies.length > 1 ? { ask: WHICH, replies } : { ask: "", replies: [] };
}

function decideBin(row, pairs, tables, said) {
  const told = Boolean(said.item) || said.conditions.size > 0, name = (bin) => tables.taxonomy.bins[bin].id;
  const ruled = pairs.flatMap((pair) => leftOf(pair, tables, said.conditions)).map((option) => option.bin);
  const bins = [...new Set(told ? ruled : [...row.bins.map(name), ...ruled.filter((bin) => ASKED_ABOUT.includes(bin)),
    ...lookAlikes(row, tables, said).map((pair) => leftOf(pair, tables, new Set())[0].bin)])];
  let pair = pairs[0], options = leftOf(pair, tables, said.conditions);
  if (!told && options[0].bin !== name(tables.bin[row.pair])) {
    const better = pairs.find((each) => name(tables.bin[each]) === name(tables.bin[row.pair]));
    if (better !== undefined) [pair, options] = [better, tables.options[better]];
  }
  const { ask, replies } = openQuestion(pairs, tables, said, bins, told || row.ask === WHICH ? "" : row.ask);
  return { option: options[0], pair, bins: [...new Set([options[0].bin, ...bins])], ask, replies };
}

// row: of `classify`; said: keys of replies, in the order they were given
export function buildThing(row, tables, said = []) {
  const told = readReplies(said), pairs = likelyPairs(row, tables, told);
  const settled = Boolean(told.item) || new Set(pairs.map((pair) => tables.item[pair])).size === 1 || row.item_p >= SETTLED;
  const thing = { row, said, pairs, settled, state: "unknown", pair: settled ? pairs[0] : row.pair, bin: "", bins: [], ask: "", replies: [],
    option: null, rulePair: null, keep: told.waste === false,
    grave: pairs.filter((pair) => leftOf(pair, tables, told.conditions).some((option) => option.bin === "hazardous")) };
  if (thing.keep) return thing;
  if (row.known === false && !told.waste) return { ...thing, settled: false, ask: UNKNOWN, replies: [{ key: IS_WASTE, bin: "" }, { key: NO_WASTE, bin: "" }] };
  const { option, pair, bins, ask, replies } = decideBin(row, pairs, tables, told);
  return { ...thing, state: ask || bins.length > 1 ? "ask" : "sure", option, rulePair: pair, bin: bins[0], bins, ask, replies };
}

// Which of the things that were classified are told: {rows, note, left}, as releaf.assistant.looking.classify_things does
// believed: the score that one box at least has to reach, null where no detector looked; more: boxes that were not looked at
export function chooseThings(whole, parts, believed, more = 0) {
  const strong = believed !== null && parts.some((part) => part.found >= believed);
  const least = believed === null ? null : strong ? BOXED : EMPTY;
  const told = (view, own) => ({ ...view, row: { ...view.row, known: own === null || view.row.known_p === null ? view.row.known !== false : view.row.known_p > own } });
  whole = told(whole, least);
  parts = parts.map((part) => told(part, PART)).map((part) => (strong ? part : { ...part, row: { ...part.row, known: false } }));
  const known = parts.filter((part) => part.row.known !== false), left = parts.length - known.length + more;
  if (parts.length > 1 && known.length) return { things: known, note: left ? "more" : "", left };
  if (!parts.length && whole.row.known === false) return { things: [], note: "nothing", left: 0 };
  if (parts.length === 1) return { things: [whole.row.known === false ? parts[0] : { ...parts[0], row: whole.row }], note: "", left: 0 };
  return { things: [whole], note: "", left: 0 };
}
