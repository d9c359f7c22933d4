// Resampling as OpenCV's INTER_AREA and INTER_LINEAR do it, which releaf.data.images uses: a canvas of the browser gives other pixels.
// A photograph is read in strips: one of 50 megapixels needs no second copy of itself.

const STRIP = 256; // rows at a time

function* strips(source, x, y, width, height) { // rows of a part of a photograph: [first row, bytes, rows, bytes of a pixel]
  if (source.pixels) { // RGB already
    for (let row = 0; row < height; row++) {
      const start = ((y + row) * source.width + x) * 3;
      yield [row, source.pixels.subarray(start, start + width * 3), 1, 3];
    }
    return;
  }
  const rows = Math.min(STRIP, height);
  const canvas = new OffscreenCanvas(width, rows);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingEnabled = false;
  for (let first = 0; first < height; first += rows) {
    const count = Math.min(rows, height - first);
    pen.fillStyle = "white"; // behind what is transparent
    pen.fillRect(0, 0, width, count);
    pen.drawImage(source, x, y + first, width, count, 0, 0, width, count);
    yield [first, pen.getImageData(0, 0, width, count).data, count, 4];
  }
}

function areaWeights(from, to) { // for each source row: [target, weight, ...]
  const scale = from / to, found = Array.from({ length: from }, () => []);
  for (let target = 0; target < to; target++) {
    const start = target * scale, end = start + scale, cell = Math.min(scale, from - start);
    let last = Math.min(Math.floor(end), from - 1);
    const first = Math.min(Math.ceil(start), last);
    if (first - start > 1e-3) found[first - 1].push(target, (first - start) / cell);
    for (let at = first; at < last; at++) found[at].push(target, 1 / cell);
    if (end - last > 1e-3) found[last].push(target, Math.min(end - last, 1, cell) / cell);
  }
  return found;
}

function areaResize(source, x, y, width, height, wide, high) { // RGB bytes [high, wide, 3]
  const across = areaWeights(width, wide), down = areaWeights(height, high);
  const total = new Float32Array(wide * high * 3), row = new Float32Array(wide * 3);
  for (const [first, data, count, step] of strips(source, x, y, width, height)) {
    for (let at = 0; at < count; at++) {
      row.fill(0);
      for (let column = 0, place = at * width * step; column < width; column++, place += step) {
        const parts = across[column];
        for (let n = 0; n < parts.length; n += 2) {
          const target = parts[n] * 3, weight = parts[n + 1];
          row[target] += weight * data[place];
          row[target + 1] += weight * data[place + 1];
          row[target + 2] += weight * data[place + 2];
        }
      }
      const parts = down[first + at];
      for (let n = 0; n < parts.length; n += 2) {
        const start = parts[n] * wide * 3, weight = parts[n + 1];
        for (let place = 0; place < row.length; place++) total[start + place] += weight * row[place];
      }
    }
  }
  return Uint8Array.from(total, (value) => Math.round(value));
}

function linearPlaces(from, to) { // for each target: the two sources and the weight of the second
  const scale = from / to;
  return Array.from({ length: to }, (_, target) => {
    const place = (target + 0.5) * scale - 0.5, first = Math.floor(place);
    if (first < 0) return [0, 0, 0];
    return first >= from - 1 ? [from - 1, from - 1, 0] : [first, first + 1, place - first];
  });
}

function linearResize(source, x, y, width, height, wide, high) { // RGB bytes [high, wide, 3]
  const across = linearPlaces(width, wide), down = linearPlaces(height, high), found = new Uint8Array(wide * high * 3);
  const needed = new Set(down.flatMap(([one, two]) => [one, two])), rows = new Map();
  const stretched = (data, start, step) => {
    const row = new Float32Array(wide * 3);
    across.forEach(([one, two, weight], target) => {
      for (let colour = 0; colour < 3; colour++) {
        row[target * 3 + colour] = data[start + one * step + colour] * (1 - weight) + data[start + two * step + colour] * weight;
      }
    });
    return row;
  };
  let next = 0;
  for (const [first, data, count, step] of strips(source, x, y, width, height)) {
    for (let at = 0; at < count; at++) if (needed.has(first + at)) rows.set(first + at, stretched(data, at * width * step, step));
    for (; next < high && down[next][1] < first + count; next++) {
      const [one, two, weight] = down[next], above = rows.get(one), below = rows.get(two);
      for (let place = 0; place < wide * 3; place++) {
        found[next * wide * 3 + place] = Math.round(above[place] * (1 - weight) + below[place] * weight);
      }
    }
    const oldest = next < high ? down[next][0] : height;
    for (const row of rows.keys()) if (row < oldest) rows.delete(row);
  }
  return found;
}

// A part of a photograph as a square of bytes, as releaf.data.images.decode makes it.
export function square(bitmap, [x0, y0, x1, y1], size) {
  const width = x1 - x0, height = y1 - y0;
  const resize = width >= size && height >= size ? areaResize : linearResize;
  return resize(bitmap, x0, y0, width, height, size, size);
}

// The whole photograph as bytes, at most `most` pixels on a side.
export function shrunk(bitmap, most) {
  const { width, height } = bitmap, scale = Math.min(1, most / Math.max(width, height));
  const wide = Math.max(1, Math.round(width * scale)), high = Math.max(1, Math.round(height * scale));
  return { pixels: areaResize(bitmap, 0, 0, width, height, wide, high), width: wide, height: high };
}

const even = (value) => (value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value)); // as Python rounds

// Bytes of `shrunk` in a grey square, as releaf.detection.predict.letterbox fits them.
export function letterbox(source, size) {
  const { width, height } = source, scale = size / Math.max(width, height);
  const wide = Math.min(size, Math.max(1, Math.ceil(width * scale))), high = Math.min(size, Math.max(1, Math.ceil(height * scale)));
  const inside = wide === width && high === height ? source.pixels : linearResize(source, 0, 0, width, height, wide, high);
  const left = even((size - wide) / 2 - 0.1), top = even((size - high) / 2 - 0.1);
  const pixels = new Uint8Array(size * size * 3).fill(114);
  for (let row = 0; row < high; row++) pixels.set(inside.subarray(row * wide * 3, (row + 1) * wide * 3), ((top + row) * size + left) * 3);
  return { pixels, scale, left, top };
}

// A part of a photograph for the eye, at most `most` pixels wide or high.
export async function cutOut(bitmap, [x0, y0, x1, y1], most) {
  const width = x1 - x0, height = y1 - y0, scale = Math.min(1, most / Math.max(width, height));
  const wide = Math.max(1, Math.round(width * scale)), high = Math.max(1, Math.round(height * scale));
  return createImageBitmap(bitmap, x0, y0, width, height, { resizeWidth: wide, resizeHeight: high, resizeQuality: "medium" });
}
