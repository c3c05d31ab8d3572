// What is on the screen: the points as seen, which of them are drawn, how large, in which colour, and which one lies
// under the pointer. The renderers draw a Scene; the controls change its `state`.
import { classColours, parseColour, pointColours } from "./colours.js";
import { Grid, roomAround, typicalSpacing } from "./places.js";
import { View, boundsOf, project } from "./view.js";

const IMAGE_PIXELS = [28, 112]; // CSS pixels of an image's longer side: far and near
const IMAGE_GROWTH = 0.36; // power of the zoom with which it grows between
export const FRAME_PIXELS = 4; // from a new image to the outside of its frame
const DOT_PIXELS = [2.6, 9];
export const GROWTH = [0.55, 0.8]; // an image grows from its dot while its room grows between these shares of its size
export const DENSEST = 0.3; // opacity of the ink where training images lie densest
const AMPLE = 1e9; // room, in map units, that shows an image at any zoom
const DIM = 36; // opacity, of 255, of the dots that a search or selection leaves out

export class Scene {
  constructor(data) {
    this.data = data;
    this.mapped = data.mapped;
    this.view = new View(boundsOf(data.positions, data.dimensions));
    this.state = {
      colourBy: "class", // class | error | kept
      pictures: data.images ? "auto" : "dots", // auto | dots | images
      cutOut: data.cutOut,
      densityShown: Boolean(data.density?.shown),
      hidden: new Set(), // classes switched off
      newShown: data.newShown,
      selected: null, // Set of points, or null
      matched: null, // (i) => boolean from the search, or null
      hovered: -1,
      pinned: -1,
    };
    this.ratio = 1; // screen pixels per CSS pixel
    this.version = 0; // counts changes of what is drawn, other than moves of the view
    this.seen = new Float32Array(3 * data.total);
    this.turned();
    this.spacing = typicalSpacing(this.grid, data.mapped);
    this.room = new Float32Array(data.total); // all points are dots until `findRoom`
    this.roomFound = false;
    this.themed();
  }

  // Until then points are dots; it is the one long computation, and the first picture does not wait for it.
  async findRoom() {
    const { data } = this;
    const room = new Float32Array(data.total);
    const { bounds } = this.view;
    const extent = Math.max(bounds.x1 - bounds.x0, bounds.y1 - bounds.y0);
    room.fill(AMPLE, data.stored);
    for (const layer of [[0, data.mapped], [data.mapped, data.stored]]) {
      await roomAround(data.positions, data.dimensions, layer, extent, 1.3 * this.spacing, room);
    }
    this.room = room;
    this.roomFound = true;
    this.moved = true;
    this.version++;
  }

  // Show a new image for `data.add`; it has all the room it wants.
  add(image) {
    const i = this.data.add(image);
    this.seen = new Float32Array(3 * this.data.total);
    const room = new Float32Array(this.data.total).fill(AMPLE);
    room.set(this.room);
    this.room = room;
    this.turned();
    this.styled();
    return i;
  }

  // After a turn of a 3-D map, and once for a flat one.
  turned() {
    const { data, view } = this;
    project(data.positions, data.dimensions, view.turn, this.seen);
    this.grid = new Grid(this.seen);
    const { x0, x1 } = view.bounds;
    this.depth = data.dimensions === 3 ? { middle: 0, reach: (Math.sqrt(3) / 2) * (x1 - x0) } : { middle: 0, reach: 1 };
    this.moved = true;
    this.version++;
  }

  // After the page became light or dark.
  themed() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => parseColour(style.getPropertyValue(name).trim());
    this.ground = read("--ground");
    this.ink = read("--ink");
    this.warning = read("--warning");
    this.dark = this.ground[0] < 128;
    this.styled();
  }

  // After any change of what is shown or of its colours.
  styled() {
    const { data, state } = this;
    const shade = state.densityShown ? DENSEST / 2 : 0;
    const behind = this.ground.map((v, k) => v + (this.ink[k] - v) * shade); // most points
    this.classColours = classColours(data, behind);
    this.colours = pointColours(data, state.colourBy, behind);
    for (let i = 0; i < data.total; i++) this.colours[4 * i + 3] = this.opacityOf(i);
    this.recoloured = true;
    this.version++;
  }

  isShown(i) {
    const { data, state } = this;
    return (this.layerOf(i) !== "new" || state.newShown) && !state.hidden.has(data.labels[i]);
  }

  opacityOf(i) {
    const { selected, matched } = this.state;
    if (!this.isShown(i)) return 0;
    return (selected && !selected.has(i)) || (matched && !matched(i)) ? DIM : 255;
  }

  // Sizes for the present view, read by the renderers.
  prepare() {
    const { view, state } = this;
    const apart = this.spacing * view.scale;
    this.dotSize = Math.min(DOT_PIXELS[1], Math.max(DOT_PIXELS[0], 1.1 * apart));
    const size = Math.max(IMAGE_PIXELS[0], 1.3 * apart, IMAGE_PIXELS[0] * view.zoom() ** IMAGE_GROWTH);
    this.imageSize = state.pictures === "dots" || !this.roomFound ? 0 : Math.min(IMAGE_PIXELS[1], size);
    this.allPictured = state.pictures === "images";
  }

  // What touches a part of the screen: ranges of dots in the grid's order, and the points drawn with their images.
  listed(view = this.view, [left, top, right, bottom] = [0, 0, view.width, view.height]) {
    const margin = Math.max(this.imageSize, this.dotSize) / 2 + FRAME_PIXELS;
    const [x0, y1] = view.toMap(left - margin, top - margin);
    const [x1, y0] = view.toMap(right + margin, bottom + margin);
    const ranges = this.grid.ranges(x0, y0, x1, y1);
    const pictured = this.imageSize ? this.grid.inside(x0, y0, x1, y1, (i) => this.grown(i) > 0) : [];
    if (this.data.dimensions === 3) pictured.sort((i, j) => this.seen[3 * i + 2] - this.seen[3 * j + 2]);
    return { ranges, pictured };
  }

  // How far point i has grown from a dot (0) to its image (1).
  grown(i) {
    if (!this.imageSize || this.colours[4 * i + 3] <= DIM) return 0;
    if (this.allPictured) return 1;
    const t = ((this.room[i] * this.view.scale) / this.imageSize - GROWTH[0]) / (GROWTH[1] - GROWTH[0]);
    const within = Math.min(1, Math.max(0, t));
    return within * within * (3 - 2 * within);
  }

  screenOf(i) {
    return this.view.toScreen(this.seen[3 * i], this.seen[3 * i + 1]);
  }

  // The point drawn at a screen position, or −1. An image counts as nearer than a dot at the same distance.
  at(left, top) {
    const reach = Math.max(this.imageSize / 2, this.dotSize / 2 + 6);
    const { view, data } = this;
    const [x0, y1] = view.toMap(left - reach, top - reach);
    const [x1, y0] = view.toMap(left + reach, top + reach);
    const { width, height } = data.cell;
    const longer = Math.max(width, height);
    let [best, nearest] = [-1, Infinity];
    for (const i of this.grid.inside(x0, y0, x1, y1, (i) => this.colours[4 * i + 3] > 0)) {
      const [x, y] = this.screenOf(i);
      const [dx, dy] = [Math.abs(x - left), Math.abs(y - top)];
      const half = (this.grown(i) * this.imageSize) / longer / 2;
      const onImage = dx < half * width && dy < half * height;
      const distance = Math.hypot(dx, dy) * (onImage ? 0.5 : 1);
      if (!onImage && distance > this.dotSize / 2 + 6) continue;
      if (distance < nearest) [best, nearest] = [i, distance];
    }
    return best;
  }

  // The latent neighbours of point i, nearest first, as points of the map.
  neighboursOf(i) {
    const { neighbours, neighbourCount: k } = this.data;
    return neighbours ? [...neighbours.subarray(i * k, (i + 1) * k)] : [];
  }

  // map: what made it; new: placed on it before the page was made; added: placed by the reader.
  layerOf(i) {
    if (i < this.mapped) return "map";
    return i < this.data.stored ? "new" : "added";
  }

  // The index within its layer.
  indexOf(i) {
    return i - { map: 0, new: this.mapped, added: this.data.stored }[this.layerOf(i)];
  }

  nameOf(i) {
    return this.data.names.get(i) ?? `${i < this.mapped ? "" : "new "}#${this.indexOf(i)}`;
  }

  classOf(i) {
    return this.data.classNames[this.data.labels[i]] ?? "no label";
  }

  // The colour of a new image's frame.
  frameOf(i) {
    return this.data.warnings.has(i) ? this.warning : this.ink;
  }

  // Which classes the latent neighbours of point i have, most frequent first: `6 Sneaker, 2 Sandal`.
  kindsOf(i) {
    const kinds = new Map();
    for (const j of this.neighboursOf(i)) kinds.set(this.classOf(j), (kinds.get(this.classOf(j)) ?? 0) + 1);
    return [...kinds].sort((a, b) => b[1] - a[1]).map(([kind, amount]) => `${amount} ${kind}`).join(", ");
  }

  // Point i in words.
  sayingOf(i) {
    if (i < this.mapped || this.data.labels[i] >= 0) return `${this.classOf(i)} ${this.nameOf(i)}`;
    return `${this.nameOf(i)}, nearest: ${this.kindsOf(i)}`;
  }
}
