// What the stage wrote into the page: a JSON header, typed arrays and sprite sheets, all in inert script elements.

const arrayTypes = {
  uint8: Uint8Array, uint16: Uint16Array, int16: Int16Array, int32: Int32Array, float32: Float32Array,
};

// Fulfilled once the browser has read the whole page.
const parsed = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve);
  else resolve();
});

// The bytes in a script element, which is removed so that its text can be freed.
function takeBytes(element) {
  const text = element.textContent;
  element.remove();
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

function takeArray(name) {
  const element = document.querySelector(`script[data-array="${name}"]`);
  if (!element) return null;
  return new arrayTypes[element.dataset.type](takeBytes(element).buffer);
}

// Points 0 … mapped−1 made the map; mapped … total−1 are new images placed on it afterwards.
export function readData() {
  const header = JSON.parse(document.getElementById("header").textContent);
  const data = { ...header, neighbourCount: 0 };
  for (const name of ["positions", "labels", "errors", "kept", "neighbours"]) data[name] = takeArray(name);
  if (data.neighbours) data.neighbourCount = data.neighbours.length / data.total;
  for (const name of ["images", "reconstructions"]) {
    data[name] = header.sheets[name] ? new Sprites(name, header.sheets[name], header.cell) : null;
  }
  return data;
}

// One grey image a point, in sheets of `columns` × `rows` cells.
class Sprites {
  constructor(name, count, cell) {
    Object.assign(this, { name, count, cell, bitmaps: [], perSheet: cell.columns * cell.rows });
  }

  // The decoded sheet, a promise; decoded once, and only when something asks for it.
  sheet(index) {
    this.bitmaps[index] ??= this.decode(index);
    return this.bitmaps[index];
  }

  // Sheets stand at the end of the page, after the script, so that the map is there before them.
  async decode(index) {
    await parsed;
    const bytes = takeBytes(document.querySelector(`script[data-sheet="${this.name}"][data-index="${index}"]`));
    const exact = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
    return createImageBitmap(new Blob([bytes], { type: "image/webp" }), exact);
  }

  // Sheet and top left pixel of point i's cell.
  place(i) {
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
