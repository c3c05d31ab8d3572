// Drawing with Canvas 2D, for browsers without WebGL: the same dots, and images as tiles with a border.
import { cssColour } from "./colours.js";
import { element } from "./elements.js";
import { DENSEST, FRAME_PIXELS } from "./scene.js";

export class CanvasRenderer {
  constructor(canvas, data) {
    this.context = canvas.getContext("2d", { alpha: false });
    this.data = data;
    this.sheets = [];
  }

  async load(ready) {
    if (this.data.density && !this.shades) {
      this.shades = await this.data.shades;
      ready();
    }
    while (this.sheets.length < this.data.images?.count) {
      const sheet = this.sheets.push(null) - 1;
      this.sheets[sheet] = await this.data.images.sheet(sheet);
      ready();
    }
  }

  setPlaces() {} // the scene is read anew for every picture
  setRoom() {}
  setColours() {}

  draw(scene, view, { ranges, pictured }) {
    const { context } = this;
    context.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = cssColour(scene.ground);
    context.fillRect(0, 0, view.width, view.height);
    if (this.shades && scene.state.densityShown) this.drawDensity(scene, view);
    this.drawDots(scene, view, ranges);
    this.drawImages(scene, view, pictured);
    context.globalAlpha = 1;
  }

  drawDensity({ ink }, view) {
    const { context } = this;
    const [x0, x1, y0, y1] = this.data.density.extent;
    const [left, top] = view.toScreen(x0, y1);
    const [right, bottom] = view.toScreen(x1, y0);
    if (this.tinted?.ink !== ink) this.tinted = { ink, canvas: tint(this.shades, ink) };
    context.imageSmoothingEnabled = true;
    context.globalAlpha = DENSEST;
    context.drawImage(this.tinted.canvas, left, top, right - left, bottom - top);
    context.globalAlpha = 1;
  }

  drawDots({ grid, colours, dotSize }, view, ranges) {
    const { context } = this;
    const size = Math.max(1.5, dotSize * 0.88); // a square of a circle's area
    let last = -1;
    for (const [from, to] of ranges) {
      for (let k = from; k < to; k++) {
        const i = grid.order[k];
        const alpha = colours[4 * i + 3];
        if (!alpha) continue;
        const [r, g, b] = [colours[4 * i], colours[4 * i + 1], colours[4 * i + 2]];
        const key = (r << 16) | (g << 8) | b | (alpha < 255 ? 1 << 24 : 0);
        if (key !== last) {
          context.fillStyle = cssColour([r, g, b], alpha / 255);
          last = key;
        }
        const left = view.width / 2 + (grid.seen[3 * i] - view.x) * view.scale;
        const top = view.height / 2 - (grid.seen[3 * i + 1] - view.y) * view.scale;
        context.fillRect(left - size / 2, top - size / 2, size, size);
      }
    }
  }

  drawImages(scene, view, pictured) {
    const { context, data } = this;
    const { cell, images } = data;
    const longer = Math.max(cell.width, cell.height);
    for (const i of pictured) {
      const place = images.place(i);
      const sheet = this.sheets[place.sheet];
      if (!sheet) continue;
      const [left, top] = view.toScreen(scene.seen[3 * i], scene.seen[3 * i + 1]);
      const grown = scene.grown(i);
      const across = (grown * scene.imageSize * cell.width) / longer;
      const down = (grown * scene.imageSize * cell.height) / longer;
      context.imageSmoothingEnabled = across * scene.ratio < 1.5 * cell.width;
      context.globalAlpha = (scene.colours[4 * i + 3] / 255) * Math.min(1, 3 * grown);
      context.fillStyle = i < data.mapped ? cssColour(scene.colours.subarray(4 * i, 4 * i + 3)) : cssColour(scene.frameOf(i));
      const border = i < data.mapped ? 1.5 : FRAME_PIXELS;
      context.fillRect(left - across / 2 - border, top - down / 2 - border, across + 2 * border, down + 2 * border);
      context.drawImage(sheet, place.x, place.y, cell.width, cell.height, left - across / 2, top - down / 2, across, down);
    }
  }
}

// A grey picture as ink, more opaque where it is lighter.
function tint(bitmap, ink) {
  const canvas = element("canvas", { width: bitmap.width, height: bitmap.height });
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
  for (let k = 0; k < pixels.data.length; k += 4) pixels.data.set([...ink, pixels.data[k]], k);
  context.putImageData(pixels, 0, 0);
  return canvas;
}
