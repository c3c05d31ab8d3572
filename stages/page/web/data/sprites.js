// One image for each point, in WebP sheets of `columns` × `rows` cells; each added image is a sheet of its own.
import { parsed, takeBytes } from "./packed.js";

export class Sprites {
  constructor(name, count, cell, stored) {
    Object.assign(this, { name, count, cell, stored, bitmaps: [], storedSheets: count });
    this.perSheet = cell ? cell.columns * cell.rows : 1;
  }

  has(i) {
    return i < this.stored + this.count - this.storedSheets;
  }

  add(bitmap) {
    this.bitmaps[this.count++] = Promise.resolve(bitmap);
  }

  // The decoded sheet, a promise; decoded once, when it is first asked for.
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

  // Draw point i's image into a 2-D context with hard pixels.
  async draw(context, i, x, y, width, height, wanted = () => true) {
    const place = this.place(i);
    const bitmap = await this.sheet(place.sheet);
    if (!wanted()) return;
    context.imageSmoothingEnabled = width < this.cell.width;
    context.drawImage(bitmap, place.x, place.y, this.cell.width, this.cell.height, x, y, width, height);
  }
}

// Sheets stand at the end of the page, after the script, so that the map is drawn before they are read.
async function decodedSheet(name, index) {
  await parsed;
  const { bytes } = takeBytes(`[data-sheet="${name}"][data-index="${index}"]`);
  const exact = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
  return createImageBitmap(new Blob([bytes], { type: "image/webp" }), exact);
}
