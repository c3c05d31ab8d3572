// The page: reads its data, builds the scene, connects the controls, draws when something has changed.
import { Camera } from "./camera.js";
import { CanvasRenderer } from "./canvas.js";
import { Card } from "./card.js";
import { Data } from "./data.js";
import { receiveImages } from "./dropping.js";
import { listen } from "./gestures.js";
import { readLink, writeLink } from "./link.js";
import { drawOverlay } from "./overlay.js";
import { Panel } from "./panel.js";
import { MARGIN, Picture } from "./picture.js";
import { Scene } from "./scene.js";
import { Search } from "./search.js";
import { Selection } from "./selection.js";
import { connectTools, followTheme, isSmall, say, showPanel } from "./tools.js";
import { WebGlRenderer } from "./webgl.js";

const AMONG_OTHERS = 8; // CSS pixels between neighbouring points when an added image is shown where it belongs
const byId = (id) => document.getElementById(id);

class App {
  constructor() {
    followTheme(() => this.themed());
    this.scene = new Scene(new Data());
    this.surface = byId("overlay");
    this.renderer = this.makeRenderer();
    this.picture = new Picture(byId("points"), this.renderer);
    this.camera = new Camera(this.scene, () => this.touched());
    this.lassoArmed = false;
    this.lasso = null;
    this.card = new Card(byId("card"), this.scene, this);
    this.panel = new Panel(this.scene, this);
    this.selection = new Selection(this.scene, this);
    this.search = new Search(this.scene, this);
    listen(this.surface, this);
    connectTools(this);
    if (this.scene.data.encoder) receiveImages(this);
    this.measure();
    this.camera.fit(false);
    readLink(this);
    new ResizeObserver(() => this.measure()).observe(byId("map"));
    this.draw();
    this.drawn = new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    this.ready = this.load();
    this.drawn.then(() => performance.mark("drawn"));
    this.ready.then(() => performance.mark("ready"));
  }

  // Fulfilled once every image is on the map; until then images appear sheet by sheet.
  async load() {
    await this.drawn;
    await this.scene.findRoom();
    await this.renderer.load(() => {
      this.scene.version++;
      this.redraw();
    });
  }

  makeRenderer() {
    const canvas = byId("points");
    let renderer;
    try {
      renderer = new WebGlRenderer(canvas, this.scene.data);
    } catch {
      return new CanvasRenderer(canvas, this.scene.data);
    }
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.renderer = this.picture.renderer = new WebGlRenderer(canvas, this.scene.data);
      this.scene.moved = this.scene.recoloured = true;
      this.ready = this.load();
    });
    return renderer;
  }

  // The canvases' size in real pixels.
  measure() {
    const { scene, surface } = this;
    const { view } = scene;
    const { clientWidth: width, clientHeight: height } = byId("map");
    const ratio = window.devicePixelRatio || 1;
    if (view.width === width && view.height === height && scene.ratio === ratio) return;
    const fitted = view.width > 1 && Math.abs(view.zoom() - 1) < 1e-6;
    scene.ratio = ratio;
    Object.assign(view, { width, height });
    for (const [canvas, margin] of [[byId("points"), MARGIN], [surface, 0]]) {
      canvas.width = Math.round((view.width + 2 * margin) * scene.ratio);
      canvas.height = Math.round((view.height + 2 * margin) * scene.ratio);
      canvas.style.width = `${view.width + 2 * margin}px`;
      canvas.style.height = `${view.height + 2 * margin}px`;
    }
    scene.version++;
    if (fitted) view.set(view.fitted());
    this.redraw();
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    const { scene, renderer } = this;
    if (scene.moved) {
      renderer.setPlaces(scene);
      renderer.setRoom(scene.room);
    }
    if (scene.moved || scene.recoloured) renderer.setColours(scene.colours);
    scene.moved = scene.recoloured = false;
    scene.prepare();
    this.picture.show(scene);
    drawOverlay(this.surface, scene, this.lasso);
    this.card.update();
  }

  // Change what is shown; every control follows.
  change(patch) {
    Object.assign(this.scene.state, patch);
    this.scene.styled();
    this.panel.update();
    this.selection.update();
    this.card.refresh();
    this.touched();
  }

  // The view or the state has changed: draw, and bring the link up to date.
  touched() {
    this.redraw();
    clearTimeout(this.linking);
    this.linking = setTimeout(() => writeLink(this), 200);
  }

  // ---- points ----

  // Pin point i and bring it, large enough to see, to the middle.
  goTo(i, near) {
    const { scene } = this;
    if (!scene.isShown(i)) {
      const hidden = new Set(scene.state.hidden);
      hidden.delete(scene.data.labels[i]);
      this.change({ hidden, newShown: scene.state.newShown || scene.layerOf(i) === "new" });
    }
    if (isSmall()) showPanel(this, false);
    this.pin(i);
    this.camera.goTo(i, near);
  }

  hover(at) {
    const hovered = at ? this.scene.at(...at) : -1;
    this.surface.classList.toggle("over-point", hovered >= 0);
    if (hovered === this.scene.state.hovered) return;
    this.scene.state.hovered = hovered;
    this.redraw();
  }

  click(at) {
    const i = this.scene.at(...at);
    if (isSmall()) showPanel(this, false);
    this.pin(i === this.scene.state.pinned ? -1 : i);
  }

  pin(i) {
    const { scene } = this;
    scene.state.pinned = i;
    scene.state.hovered = -1;
    say(i < 0 ? "" : scene.sayingOf(i));
    this.touched();
  }

  pinCentre() {
    const { scene } = this;
    const { x, y } = scene.view;
    let [best, nearest] = [-1, Infinity];
    for (let i = 0; i < scene.data.total; i++) {
      const distance = Math.hypot(scene.seen[3 * i] - x, scene.seen[3 * i + 1] - y);
      if (distance < nearest && scene.isShown(i)) [best, nearest] = [i, distance];
    }
    this.pin(best);
  }

  // ---- classes and selection ----

  toggleClass(c, shown) {
    const hidden = new Set(this.scene.state.hidden);
    if (shown) hidden.delete(c);
    else hidden.add(c);
    this.change({ hidden });
  }

  isolate(c) {
    const all = [...this.panel.classRows.keys()];
    this.change({ hidden: new Set(all.filter((other) => other !== c)) });
  }

  armLasso(armed) {
    this.lassoArmed = armed;
    byId("lasso").setAttribute("aria-pressed", armed);
    this.surface.classList.toggle("lassoing", armed);
  }

  showLasso(path) {
    this.lasso = path;
    this.redraw();
  }

  finishLasso(path) {
    this.lasso = null;
    this.armLasso(false);
    this.selection.take(path);
  }

  selectShown() {
    this.selection.takeShown();
  }

  // Leave what is innermost: the lasso, the pinned point, the selection, the search.
  escape() {
    const { state } = this.scene;
    if (this.lasso || this.lassoArmed) {
      this.lasso = null;
      this.armLasso(false);
      this.redraw();
    } else if (state.pinned >= 0) this.pin(-1);
    else if (state.selected) this.change({ selected: null });
    else if (state.matched) this.search.clear();
  }

  // A new image takes its place on the map.
  async add(image) {
    const i = this.scene.add(image);
    await this.renderer.load(() => this.scene.version++);
    this.selection.update();
    this.goTo(i, AMONG_OTHERS);
    return i;
  }

  themed() {
    this.scene.themed();
    this.change({});
  }
}

// For scripts and the console: `drawn` is fulfilled once the points are drawn, `ready` once every image is there.
const app = new App();
window.fitmap = { app, scene: app.scene, drawn: app.drawn, ready: app.ready };
