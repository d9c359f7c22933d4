// Boxes from a detector's raw output: non-maximum suppression as releaf.detection.predict asks for it, and margins for cut-outs.

const OVERLAP = 0.5, MOST = 300;

function overlap(a, b) { // intersection over union
  const wide = Math.min(a[2], b[2]) - Math.max(a[0], b[0]), high = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (wide <= 0 || high <= 0) return 0;
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  return (wide * high) / (area(a) + area(b) - wide * high);
}

// raw: floats [4 + classes, places], centre x, y, width, height and a score for each class -> [x0, y0, x1, y1, score, class], the surest first
export function pickBoxes(raw, classes, threshold) {
  const places = raw.length / (4 + classes), boxes = [];
  for (let place = 0; place < places; place++) {
    let best = 0;
    for (let n = 1; n < classes; n++) if (raw[(4 + n) * places + place] > raw[(4 + best) * places + place]) best = n;
    const score = raw[(4 + best) * places + place];
    if (score <= threshold) continue;
    const [x, y, width, height] = [0, 1, 2, 3].map((n) => raw[n * places + place]);
    boxes.push([x - width / 2, y - height / 2, x + width / 2, y + height / 2, score, best]);
  }
  boxes.sort((a, b) => b[4] - a[4]);
  const kept = [];
  for (const box of boxes) {
    if (kept.length === MOST) break;
    if (!kept.some((other) => other[5] === box[5] && overlap(other, box) > OVERLAP)) kept.push(box);
  }
  return kept;
}

// From the grey square back to the photograph's own pixels; what has no area there is left out.
export function inPhotograph(boxes, { scale, left, top }, width, height) {
  const within = (value, most) => Math.min(Math.max(value, 0), most);
  return boxes.map(([x0, y0, x1, y1, score, name]) => [
    within((x0 - left) / scale, width), within((y0 - top) / scale, height), within((x1 - left) / scale, width), within((y1 - top) / scale, height), score, name,
  ]).filter(([x0, y0, x1, y1]) => x1 > x0 && y1 > y0);
}

const INSIDE = 0.7;

// The boxes that are not part of a larger one, the surest first, as releaf.assistant.looking.outer_boxes chooses them.
export function outerBoxes(boxes) {
  const area = boxes.map(([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0));
  const shared = (a, b) => Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const isPart = (n) => boxes.some((other, m) => (area[m] > area[n] || (area[m] === area[n] && m < n))
    && shared(boxes[n], other) / Math.max(area[n], 1e-9) >= INSIDE);
  return boxes.filter((_, n) => !isPart(n));
}

export function withMargin([x0, y0, x1, y1], width, height, margin = 0.1) { // whole pixels, for the classifier
  const wide = (x1 - x0) * margin, high = (y1 - y0) * margin;
  const left = Math.round(Math.max(0, x0 - wide)), top = Math.round(Math.max(0, y0 - high));
  return [left, top, Math.max(left + 1, Math.round(Math.min(width, x1 + wide))), Math.max(top + 1, Math.round(Math.min(height, y1 + high)))];
}
