// The map on the screen: which points are drawn, how large and in which colour, and which one lies at a place.
import { byId } from "../dom_elements.js";
import { groupLabels } from "./group_labels.js";
import { drawOverlay } from "./lasso_and_rings.js";
import { cssColour, categoryColours, pointColours } from "./point_colours.js";
import { PointLayout } from "./projected_points.js";
import { MARGIN, OverscanCanvas } from "./overscan_canvas.js";
import { DENSEST, FRAME_PIXELS, GROWTH } from "./shaders.js";
import { WebGlRenderer } from "./webgl_renderer.js";

const IMAGE_PIXELS = [28, 112]; // CSS pixels of an image's longer side: far and near
const IMAGE_GROWTH = 0.36; // power of the zoom with which it grows between
const DOT_PIXELS = [2.6, 9];
const FEW = 60; // points that a search, selection or filter leaves are drawn with their images at any zoom
const DIM = 36; // opacity, of 255, of the dots that a search or selection leaves out

export class MapView {
  // Throws if the browser has no WebGL 2.
  constructor(state, theme) {
    Object.assign(this, { state, theme, data: state.data, canvas: byId("points"), surface: byId("overlay") });
    this.layout = new PointLayout(this.data);
    this.viewport = this.layout.viewport;
    this.ratio = 1; // screen pixels per CSS pixel
    this.version = 0; // counts changes of what is drawn, other than moves of the viewport
    this.lasso = null; // path of map positions while one is drawn
    this.listeners = []; // called after every drawing
    this.renderer = new WebGlRenderer(this.canvas, this.data);
    this.overscan = new OverscanCanvas(this.canvas, this);
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.renderer = new WebGlRenderer(this.canvas, this.data);
      this.moved = this.recoloured = true;
      this.loadImages();
    });
    this.moved = true;
    this.recolour();
    theme.onChange(() => this.recolour());
    state.onChange(["colourBy", "columns", "densityShown", "labels"], () => this.recolour());
    state.onChange(["filters", "newShown", "matched", "selected", "namesShown"], () => this.reveal());
    state.onChange(["pictures", "cutOut"], () => this.changed());
    state.onChange(["hovered", "pinned"], () => this.redraw());
  }

  // Fulfilled once every image is on the map; until then images appear sheet by sheet.
  async loadImages() {
    await this.layout.findRoom();
    this.moved = true;
    this.changed();
    await this.renderer.load(() => this.changed());
  }

  // Make the canvases as large as their place on the page.
  measure() {
    const { viewport, surface } = this;
    const { clientWidth: width, clientHeight: height } = byId("map");
    const ratio = window.devicePixelRatio || 1;
    if (viewport.width === width && viewport.height === height && this.ratio === ratio) return;
    const fitted = viewport.width > 1 && Math.abs(viewport.zoom() - 1) < 1e-6;
    this.ratio = ratio;
    Object.assign(viewport, { width, height });
    for (const [canvas, margin] of [[this.canvas, MARGIN], [surface, 0]]) {
      canvas.width = Math.round((width + 2 * margin) * ratio);
      canvas.height = Math.round((height + 2 * margin) * ratio);
      canvas.style.width = `${width + 2 * margin}px`;
      canvas.style.height = `${height + 2 * margin}px`;
    }
    if (fitted) viewport.set(viewport.fitted());
    this.changed();
  }

  turned() {
    this.layout.place();
    this.moved = true;
    this.changed();
  }

  // Show a point that was added to the data.
  async add() {
    this.layout.grow();
    this.moved = true;
    this.recolour();
    await this.renderer.load(() => this.changed());
  }

  changed() {
    this.version++;
    this.redraw();
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    const { renderer, layout } = this;
    if (this.moved) renderer.setPlaces(layout);
    if (this.moved || this.recoloured) renderer.setColours(this.colours);
    this.moved = this.recoloured = false;
    this.prepare();
    this.overscan.show();
    drawOverlay(this.surface, this);
    for (const listener of this.listeners) listener();
  }

  onDraw(listener) {
    this.listeners.push(listener);
  }

  recolour() {
    const { data, state, theme } = this;
    const shade = state.densityShown ? DENSEST / 2 : 0;
    this.behind = theme.ground.map((v, k) => v + (theme.ink[k] - v) * shade); // what most points lie on
    this.colouring = data.column(state.colourBy) ?? data.classes;
    this.colours = pointColours(this.colouring, data.total, this.behind);
    this.classColours = categoryColours(data.classes, this.behind);
    this.reveal();
  }

  // Which points are drawn, and how opaque.
  reveal() {
    const { data, state, colours } = this;
    let opaque = 0;
    for (let i = 0; i < data.total; i++) {
      colours[4 * i + 3] = !state.isShown(i) ? 0 : state.isMeant(i) ? 255 : DIM;
      if (colours[4 * i + 3] === 255) opaque++;
    }
    this.paled = Boolean(state.matched || state.selected); // what is searched for or selected stands out
    this.few = (this.paled || state.filters.size > 0) && opaque <= FEW;
    this.groupLabels = state.namesShown && data.dimensions === 2 ? groupLabels(state, this.colouring, this.behind) : [];
    this.recoloured = true;
    this.changed();
  }

  // The colour of point i's class as CSS.
  classColour(i) {
    return cssColour(this.classColours[this.data.classes.values[i]]);
  }

  // Sizes for the present viewport.
  prepare() {
    const { viewport, state, layout } = this;
    const apart = layout.spacing * viewport.scale;
    this.dotSize = Math.min(DOT_PIXELS[1], Math.max(DOT_PIXELS[0], 1.1 * apart));
    const size = Math.max(IMAGE_PIXELS[0], 1.3 * apart, IMAGE_PIXELS[0] * viewport.zoom() ** IMAGE_GROWTH);
    this.imageSize = state.pictures === "dots" || !layout.roomFound ? 0 : Math.min(IMAGE_PIXELS[1], size);
    this.allPictured = state.pictures === "images";
  }

  // What touches a part of the screen: ranges of dots in the grid's order, and the points drawn with their images.
  listed(viewport = this.viewport, [left, top, right, bottom] = [0, 0, viewport.width, viewport.height]) {
    const { grid, seen } = this.layout;
    const margin = Math.max(this.imageSize, this.dotSize) / 2 + FRAME_PIXELS;
    const [x0, y1] = viewport.toMap(left - margin, top - margin);
    const [x1, y0] = viewport.toMap(right + margin, bottom + margin);
    const ranges = grid.ranges(x0, y0, x1, y1);
    const pictured = this.imageSize ? grid.inside(x0, y0, x1, y1, (i) => this.grown(i) > 0) : [];
    if (this.data.dimensions === 3) pictured.sort((i, j) => seen[3 * i + 2] - seen[3 * j + 2]);
    return { ranges, pictured };
  }

  // How far point i has grown from a dot (0) to its image (1).
  grown(i) {
    if (!this.imageSize || this.colours[4 * i + 3] <= DIM) return 0;
    if (this.allPictured || this.few) return 1;
    const share = (this.layout.room[i] * this.viewport.scale) / this.imageSize;
    const within = Math.min(1, Math.max(0, (share - GROWTH[0]) / (GROWTH[1] - GROWTH[0])));
    return within * within * (3 - 2 * within);
  }

  screenOf(i) {
    return this.layout.screenOf(i);
  }

  // The point drawn at a screen position, or −1. An image counts as nearer than a dot at the same distance.
  at(left, top) {
    const reach = Math.max(this.imageSize / 2, this.dotSize / 2 + 6);
    const { viewport, data } = this;
    const [x0, y1] = viewport.toMap(left - reach, top - reach);
    const [x1, y0] = viewport.toMap(left + reach, top + reach);
    const { width, height } = data.cell;
    const longer = Math.max(width, height);
    let [best, nearest] = [-1, Infinity];
    for (const i of this.layout.grid.inside(x0, y0, x1, y1, (i) => this.colours[4 * i + 3] > 0)) {
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

  // The shown points within a closed path of map positions.
  inside(path) {
    const { grid, seen } = this.layout;
    const [xs, ys] = [path.map(([x]) => x), path.map(([, y]) => y)];
    const accept = (i) => this.state.isShown(i) && isWithin(path, seen[3 * i], seen[3 * i + 1]);
    return grid.inside(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), accept);
  }

  // The shown points that are on the screen.
  onScreen() {
    const { width, height } = this.viewport;
    const corners = [[0, 0], [width, 0], [width, height], [0, height]];
    return this.inside(corners.map((at) => this.viewport.toMap(...at)));
  }

  // The shown point nearest to the middle of the screen, or −1.
  central() {
    const { viewport, state, data, layout } = this;
    let [best, nearest] = [-1, Infinity];
    for (let i = 0; i < data.total; i++) {
      const distance = Math.hypot(layout.seen[3 * i] - viewport.x, layout.seen[3 * i + 1] - viewport.y);
      if (distance < nearest && state.isShown(i)) [best, nearest] = [i, distance];
    }
    return best;
  }
}

// Whether (x, y) lies in the polygon (even-odd rule).
function isWithin(polygon, x, y) {
  let inside = false;
  for (let k = 0, j = polygon.length - 1; k < polygon.length; j = k++) {
    const [[xk, yk], [xj, yj]] = [polygon[k], polygon[j]];
    if (yk > y !== yj > y && x < ((xj - xk) * (y - yk)) / (yj - yk) + xk) inside = !inside;
  }
  return inside;
}
