// What the stage wrote into the page: a JSON header, typed arrays and sprite sheets, all in inert script elements.

const arrayTypes = {
  uint8: Uint8Array, uint16: Uint16Array, int8: Int8Array, int16: Int16Array, int32: Int32Array, float32: Float32Array,
};
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;.=>?@^_`{|}~";
const digitOf = new Uint8Array(128);
for (let k = 0; k < 85; k++) digitOf[DIGITS.charCodeAt(k)] = k;

// Fulfilled once the browser has read the whole page.
const parsed = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve);
  else resolve();
});

// Base 85: five digits for four bytes, the last group cut short.
function decoded(text) {
  const bytes = new Uint8Array(4 * Math.ceil(text.length / 5));
  for (let from = 0, to = 0; from < text.length; from += 5) {
    let value = 0;
    for (let k = from; k < from + 5; k++) value = value * 85 + (k < text.length ? digitOf[text.charCodeAt(k)] : 84);
    bytes[to++] = value >>> 24;
    bytes[to++] = value >>> 16;
    bytes[to++] = value >>> 8;
    bytes[to++] = value;
  }
  return bytes.subarray(0, Math.floor((4 * text.length) / 5));
}

// The bytes in a script element, which is removed so that its text can be freed.
function takeBytes(selector) {
  const element = document.querySelector(selector);
  element.remove();
  return decoded(element.textContent);
}

function takeArray(name) {
  const element = document.querySelector(`script[data-array="${name}"]`);
  if (!element) return null;
  const bytes = takeBytes(`script[data-array="${name}"]`);
  const type = arrayTypes[element.dataset.type];
  return new type(bytes.buffer, 0, bytes.length / type.BYTES_PER_ELEMENT);
}

// Points 0 … mapped−1 made the map; mapped … stored−1 are new images that were placed on it before the page was made;
// stored … total−1 those that the reader has added.
export class Data {
  constructor() {
    const header = JSON.parse(document.getElementById("header").textContent);
    Object.assign(this, header, { total: header.stored });
    const ofNew = (texts) => new Map(texts.map((text, k) => [header.mapped + k, text]).filter(([, text]) => text));
    this.names = ofNew(header.names);
    this.warnings = ofNew(header.warnings); // why a new image is off the map
    for (const name of ["positions", "labels", "errors", "kept"]) this[name] = takeArray(name);
    for (const name of ["images", "reconstructions"]) {
      this[name] = header.sheets[name] ? new Sprites(name, header.sheets[name], header.cell, header.stored) : null;
    }
  }

  // Indices of each point's nearest latents, row by row; decoded when first asked for, which is after the first picture.
  get neighbours() {
    if (this.taken === undefined) this.taken = takeArray("neighbours");
    return this.taken;
  }

  set neighbours(values) {
    this.taken = values;
  }

  get neighbourCount() {
    return this.neighbours ? this.neighbours.length / this.total : 0;
  }

  // The picture of how dense all training images lie, a promise; null without one.
  get shades() {
    return (this.decodedShades ??= this.density && decodedSheet("density", 0));
  }

  // The numbers that the header's `encoder` describes.
  async encoderNumbers() {
    await parsed;
    const packed = takeBytes("script[data-encoder]");
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
  }

  // A new image, placed by the reader; its index.
  add({ name, bitmap, position, neighbours, warning }) {
    const i = this.total;
    this.neighbours = appended(this.neighbours, neighbours);
    this.positions = appended(this.positions, position);
    this.labels = appended(this.labels, [-1]);
    for (const figure of ["errors", "kept"]) if (this[figure]) this[figure] = appended(this[figure], [NaN]);
    this.total++;
    this.names.set(i, name);
    if (warning) this.warnings.set(i, warning);
    this.images.add(bitmap);
    return i;
  }
}

function appended(array, values) {
  const longer = new array.constructor(array.length + values.length);
  longer.set(array);
  longer.set(values, array.length);
  return longer;
}

// Sheets stand at the end of the page, after the script, so that the map is there before them.
async function decodedSheet(name, index) {
  await parsed;
  const bytes = takeBytes(`script[data-sheet="${name}"][data-index="${index}"]`);
  const exact = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
  return createImageBitmap(new Blob([bytes], { type: "image/webp" }), exact);
}

// One grey image a point, in sheets of `columns` × `rows` cells; each added image is a sheet of its own.
class Sprites {
  constructor(name, count, cell, stored) {
    Object.assign(this, { name, count, cell, stored, bitmaps: [], storedSheets: count });
    this.perSheet = cell.columns * cell.rows;
  }

  has(i) {
    return i < this.stored + this.count - this.storedSheets;
  }

  add(bitmap) {
    this.bitmaps[this.count++] = Promise.resolve(bitmap);
  }

  // The decoded sheet, a promise; decoded once, and only when something asks for it.
  sheet(index) {
    this.bitmaps[index] ??= decodedSheet(this.name, index);
    return this.bitmaps[index];
  }

  // Sheet and top left pixel of point i's cell.
  place(i) {
    if (i >= this.stored) return { sheet: this.storedSheets + i - this.stored, x: 0, y: 0 };
    const inSheet = i % this.perSheet;
    return {
      sheet: Math.floor(i / this.perSheet),
      x: (inSheet % this.cell.columns) * this.cell.width,
      y: Math.floor(inSheet / this.cell.columns) * this.cell.height,
    };
  }

  // Draw point i's image into a 2-D context, its pixels kept as hard squares.
  async draw(context, i, x, y, width, height, wanted = () => true) {
    const place = this.place(i);
    const bitmap = await this.sheet(place.sheet);
    if (!wanted()) return;
    context.imageSmoothingEnabled = false;
    context.drawImage(bitmap, place.x, place.y, this.cell.width, this.cell.height, x, y, width, height);
  }
}
