// From the probabilities of one thing to what the classifier says of it: the decisions of releaf.vision.heads and sets, number for number.
// Nothing here touches the page, so that the same functions can be compared with Python's.

const TOLERANCE = 0.005; // as in releaf.vision.sets
const LEVEL = 0.9;

const rounded = (value, digits) => Math.round(value * 10 ** digits);

function largest(values) { // the first of the largest
  let best = 0;
  for (let n = 1; n < values.length; n++) if (values[n] > values[best]) best = n;
  return best;
}

function sums(probability, groupOf, count) { // probability of each group of pairs
  const found = new Array(count).fill(0);
  probability.forEach((value, pair) => { found[groupOf[pair]] += value; });
  return found;
}

// What a region's rules and the vocabulary say of each pair, made once for each region. Pairs, items and bins are numbers of these tables.
export function makeTables(taxonomy, rules) {
  const pairs = taxonomy.pairs;
  return {
    taxonomy, rules,
    item: pairs.map(([item]) => item),
    material: pairs.map(([, material]) => material),
    family: pairs.map(([, material]) => taxonomy.materials[material].family),
    options: rules.pairs.map((numbers) => numbers.map((number) => rules.rows[number])), // the default first
    bin: rules.pairs.map(([first]) => taxonomy.bins.findIndex((bin) => bin.id === rules.rows[first].bin)),
  };
}

export function probabilities(pair, tables) {
  const { taxonomy } = tables;
  return {
    pair,
    item: sums(pair, tables.item, taxonomy.items.length),
    material: sums(pair, tables.material, taxonomy.materials.length),
    family: sums(pair, tables.family, taxonomy.families.length),
    bin: sums(pair, tables.bin, taxonomy.bins.length),
  };
}

// The pair answered: of the materials that training tells apart best, the pair whose item, material and bin are likely together.
export function choosePair(found, tables, equivalent) {
  const open = new Array(tables.taxonomy.materials.length).fill(0);
  found.pair.forEach((value, pair) => { for (const material of equivalent[pair]) open[material] += value; });
  const reach = tables.material.map((material) => rounded(open[material], 5));
  const most = Math.max(...reach);
  const likely = tables.item.map((item, pair) => (reach[pair] < most ? -1
    : rounded(found.item[item] + found.material[tables.material[pair]] + found.bin[tables.bin[pair]], 5)));
  return largest(likely);
}

function massAbove(probability, one) { // the probability of all that is more probable than this
  return probability.reduce((sum, value) => sum + (value > one + 1e-6 ? value : 0), 0);
}

export function predictionSet(probability, limit, answer) { // classes that cannot be ruled out, the most probable first
  const inside = probability.map((value, n) => n === answer
    || (value > 0 && (limit === null || massAbove(probability, value) <= limit + TOLERANCE)));
  return ranked(probability, inside);
}

function ranked(probability, inside) {
  const numbers = [...inside.keys()].filter((n) => inside[n]);
  return numbers.sort((a, b) => rounded(probability[b], 6) - rounded(probability[a], 6) || a - b);
}

function entropy(masses) { // of unnormalised masses, in bits, times their sum
  const some = masses.filter((mass) => mass > 0);
  const all = some.reduce((sum, mass) => sum + mass, 0);
  return some.reduce((sum, mass) => sum + mass * Math.log2(all / mass), 0);
}

const add = (counts, name, mass) => counts.set(name, (counts.get(name) ?? 0) + mass);

function openAfter(states, question) { // the expected entropy of the bin when a question has been answered; null: "which is it"
  const outcomes = new Map(), rest = new Map();
  for (const [weight, option, own] of states) {
    const outcome = question === null ? own : option.ask === question ? option.condition : null;
    if (outcome !== null && !outcomes.has(outcome)) outcomes.set(outcome, new Map());
    add(outcome === null ? rest : outcomes.get(outcome), option.bin, weight);
  }
  const mass = (counts) => [...counts.values()].reduce((sum, value) => sum + value, 0);
  const asked = [...outcomes.values()].reduce((sum, counts) => sum + mass(counts), 0);
  let left = 0;
  for (const counts of outcomes.values()) {
    const share = mass(counts) / asked;
    for (const [name, weight] of rest) add(counts, name, weight * share);
    left += entropy([...counts.values()]);
  }
  return left;
}

export const WHICH = "which"; // asks which object it is, in place of a rule's question

// The one question whose answer leaves the least open about the bin: a rule's, WHICH, or "".
export function chooseQuestion(answer, pairs, weights, bins, tables) {
  const own = tables.options[answer][0].ask;
  if (bins.length === 1) return own;
  const likely = [...pairs.keys()].filter((n) => bins.includes(tables.bin[pairs[n]]));
  if (new Set(likely.map((n) => tables.bin[pairs[n]])).size < 2) return own;
  const total = likely.reduce((sum, n) => sum + weights[n], 0);
  const states = likely.flatMap((n) => tables.options[pairs[n]].map(
    (option, _, options) => [weights[n] / total / options.length, option, options[0].bin]));
  const questions = [null, ...new Set(states.map(([, option]) => option.ask).filter(Boolean))];
  const left = questions.map((question) => openAfter(states, question));
  return questions[left.indexOf(Math.min(...left))] ?? WHICH;
}

function askedPairs(found, inside, bins, tables) { // the set of pairs, and the likeliest pair of each bin of the set that has none in it
  const likely = new Set(inside);
  for (const bin of bins) {
    const own = [...tables.bin.keys()].filter((pair) => tables.bin[pair] === bin);
    if (own.length && !own.some((pair) => likely.has(pair))) {
      likely.add(own.reduce((best, pair) => (found.pair[pair] > found.pair[best] ? pair : best)));
    }
  }
  return ranked(found.pair, found.pair.map((_, pair) => likely.has(pair)));
}

// The fraction of validation groups that are at least as unlike: releaf.vision.known
export function knownP(unlikeness, levels) {
  return (levels.filter((level) => level >= unlikeness).length + 1) / (levels.length + 1);
}

// seen: {pairs, unlikeness} as the classifier's graph gives them; facts: classifier.json
export function classify(seen, facts, tables) {
  const found = probabilities(Array.from(seen.pairs), tables);
  const known_p = facts.levels === null ? null : knownP(seen.unlikeness, facts.levels);
  const pair = choosePair(found, tables, facts.equivalent);
  const limits = facts.sets ?? { pairs: LEVEL, bins: {} };
  const region = tables.rules.region;
  const pairs = predictionSet(found.pair, limits.pairs, pair);
  const bins = predictionSet(found.bin, region in limits.bins ? limits.bins[region] : LEVEL, tables.bin[pair]);
  const order = askedPairs(found, pairs, bins, tables);
  return {
    pair, pairs, bins, found,
    known_p, known: known_p === null ? null : known_p > 1 - facts.kept,
    ask: known_p !== null && known_p <= 1 - facts.kept ? "" : chooseQuestion(pair, order, order.map((n) => found.pair[n]), bins, tables),
    item_p: found.item[tables.item[pair]], material_p: found.material[tables.material[pair]],
    family_p: found.family[tables.family[pair]], bin_p: found.bin[tables.bin[pair]],
  };
}
