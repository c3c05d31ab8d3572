// The points, the fit, its band, the true curve, and where straight pieces meet; zoomed by wheel, pinch, drag and keys.
import { element, say } from "../../../page/web/dom_elements.js";
import { smooth } from "../data/run.js";
import { Plot, extent, withoutFar } from "./plot.js";
import { linearTicks, shown, ticksOf, xText } from "./ticks.js";

const CROWDED = 9; // pixels between corners, below which they are dots instead of rings
const NEAR = 14; // pixels from the pointer within which a point is named

export class FitPlot {
  constructor(host, state, theme, inside) {
    Object.assign(this, { host, state, inside });
    this.plot = new Plot(host, theme);
    this.plot.paint = () => this.paint();
    this.tip = element("div", { class: "tip", hidden: "" });
    host.append(this.tip);
    this.pointers = new Map();
    host.addEventListener("pointerdown", (event) => this.press(event));
    host.addEventListener("pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel"]) host.addEventListener(type, (event) => this.pointers.delete(event.pointerId));
    host.addEventListener("pointerleave", () => this.read(null));
    host.addEventListener("dblclick", () => state.change({ view: null }));
    host.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    host.addEventListener("keydown", (event) => this.key(event));
    host.addEventListener("focus", () => host.matches(":focus-visible") && this.readPlace(this.middle));
    host.addEventListener("blur", () => this.read(null));
  }

  show(run) {
    this.run = run;
    const last = run.fitAt(run.last);
    const [low, high] = extent([withoutFar(run.trainPoints.y), last], 0.05);
    this.whole = { x0: run.grid[0], x1: run.grid[run.places - 1], y0: low, y1: high };
    const reach = 0.012 * (this.whole.x1 - this.whole.x0);
    this.whole.x0 -= reach;
    this.whole.x1 += reach;
    this.beyond = run.trainPoints.y.filter((y) => y < low || y > high).length;
    this.plot.draw();
  }

  get view() {
    return this.state.view ?? this.whole;
  }

  get middle() {
    return (this.view.x0 + this.view.x1) / 2;
  }

  get isZoomed() {
    return this.state.view !== null;
  }

  // Zoom by a factor around a pixel, the middle if none is given.
  zoom(factor, px, py) {
    const { plot, whole } = this;
    const { x0, x1, y0, y1 } = this.view;
    const x = px === undefined ? (x0 + x1) / 2 : plot.placeAt(px);
    const y = py === undefined ? (y0 + y1) / 2 : plot.yAt(py);
    const scale = Math.max(factor, (x1 - x0) / (whole.x1 - whole.x0) / 2000);
    this.look({ x0: x + (x0 - x) / scale, x1: x + (x1 - x) / scale, y0: y + (y0 - y) / scale, y1: y + (y1 - y) / scale });
  }

  look(view) {
    const { whole } = this;
    const span = view.x1 - view.x0;
    if (span >= 0.999 * (whole.x1 - whole.x0)) {
      this.state.change({ view: null });
      return;
    }
    const shift = Math.max(whole.x0 - view.x0, 0) + Math.min(whole.x1 - view.x1, 0);
    this.state.change({ view: { ...view, x0: view.x0 + shift, x1: view.x1 + shift } });
  }

  // Where a pointer is, in pixels of the plot.
  at(event) {
    const box = this.host.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  press(event) {
    this.pointers.set(event.pointerId, this.at(event));
    if (this.isZoomed || this.pointers.size > 1) this.host.setPointerCapture(event.pointerId);
    this.move(event);
  }

  move(event) {
    const now = this.at(event);
    const before = this.pointers.get(event.pointerId);
    if (before) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
      this.pointers.set(event.pointerId, now);
      if (other) {
        const distance = ([x, y]) => Math.hypot(x - other[0], y - other[1]);
        this.zoom(distance(now) / Math.max(distance(before), 1), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
        return;
      }
      if (this.isZoomed && event.buttons) {
        const { x0, x1, y0, y1 } = this.view;
        const dx = this.plot.placeAt(before[0]) - this.plot.placeAt(now[0]);
        const dy = this.plot.yAt(before[1]) - this.plot.yAt(now[1]);
        this.look({ x0: x0 + dx, x1: x1 + dx, y0: y0 + dy, y1: y1 + dy });
        return;
      }
    }
    this.pointer = now;
    this.read(this.plot.placeAt(now[0]));
  }

  wheel(event) {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0018)), ...this.at(event));
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!steps) return;
    event.preventDefault();
    event.stopPropagation();
    const { x0, x1 } = this.view;
    const stride = ((x1 - x0) / 200) * (event.shiftKey ? 10 : 1);
    this.readPlace((this.state.reading ?? this.middle) + steps * stride);
  }

  // Read the fit at a position on the axis, without a pointer.
  readPlace(place) {
    this.pointer = null;
    this.read(place);
    if (this.reading !== null) say(this.readingText(this.reading).replaceAll("\n", ", "));
  }

  read(place) {
    const { grid, places } = this.run;
    this.state.change({ reading: place === null ? null : Math.max(grid[0], Math.min(grid[places - 1], place)) });
  }

  get reading() {
    return this.state.reading;
  }

  // x, fit and band in words; y of the point nearest the pointer, too.
  readingText(place, point = null) {
    const { run } = this;
    const m = this.state.momentOf(run);
    const lines = [];
    if (point) lines.push(`point: ${run.xName} ${xText(run, point.x)}, ${run.yName} ${shown(point.y)}`);
    lines.push(`${point ? "" : `${run.xName} ${xText(run, place)}\n`}fit: ${shown(run.valueAt(m, point ? point.x : place))}`);
    if (m === run.last) lines.push(`90 % band: ${run.bandAt(point ? point.x : place).map((y) => shown(y)).join(" to ")}`);
    if (run.trueY) lines.push(`true curve: ${shown(trueAt(run, point ? point.x : place))}`);
    return lines.join("\n");
  }

  // The point nearest the pointer, { x, y }; null if none is near.
  pointNear() {
    if (!this.pointer) return null;
    const { plot } = this;
    const [px, py] = this.pointer;
    let found = null;
    let least = NEAR;
    for (const { x, y } of [this.run.trainPoints]) {
      for (let i = 0; i < x.length; i++) {
        const distance = Math.hypot(plot.X(x[i]) - px, plot.Y(y[i]) - py);
        if (distance < least) [least, found] = [distance, { x: x[i], y: y[i] }];
      }
    }
    return found;
  }

  paint() {
    const { plot, run, state } = this;
    const { theme } = plot;
    const m = state.momentOf(run);
    plot.range = { ...this.view };
    this.host.classList.toggle("zoomed", this.isZoomed);
    plot.still(m === run.last ? run.bandY : run, () => this.paintPoints(m));
    plot.inside(plot.front, (context) => {
      if (run.trueY) plot.curve(context, ...this.drawn(run.grid, run.trueY), theme.ink, 1);
      const corners = run.corners(m);
      const fit = corners ? [corners.x, corners.y] : this.drawn(run.grid, run.fitAt(m));
      plot.curve(context, ...fit, theme.fit, 2.4);
      if (corners) this.paintCorners(context, corners);
      this.inside.paintOver(context, plot);
      this.paintReading(context);
    });
    plot.front.setAttribute("aria-label", this.description(m));
  }

  // The points, with the band beneath them at the last moment.
  paintPoints(m) {
    const { plot, run } = this;
    const { x0, x1, y0, y1 } = plot.range;
    plot.axes(ticksOf(run)(x0, x1, plot.width / 75), linearTicks(y0, y1, plot.height / 55), run.xName, run.yName);
    plot.inside(plot.back, (context) => {
      if (m === run.last) this.paintBand(context);
      const share = (x1 - x0) / (this.whole.x1 - this.whole.x0);
      const radius = Math.min(Math.max(45 / Math.sqrt(Math.max(run.trainPoints.x.length * share, 1)), 1), 3);
      plot.dots(context, run.trainPoints.x, run.trainPoints.y, plot.theme.data, radius, 0.8);
    });
    if (!this.beyond) return;
    const context = plot.back.getContext("2d");
    context.textAlign = "right";
    context.fillText(`${this.beyond} point${this.beyond === 1 ? "" : "s"} far outside not shown`, plot.width - 12, plot.height - plot.bottom - 16);
  }

  // A curve of the grid at the places in view, with places between where the zoom shows that the grid is coarse.
  drawn(grid, y) {
    const { x0, x1 } = this.view;
    const count = Math.ceil(this.plot.width);
    if ((x1 - x0) / (grid[1] - grid[0]) > count / 1.5) return [grid, y];
    const x = Array.from({ length: count + 1 }, (_, i) => Math.max(grid[0], Math.min(grid.at(-1), x0 + ((x1 - x0) * i) / count)));
    return [x, x.map((place) => smooth(grid, y, place))];
  }

  paintBand(context) {
    const { plot, run } = this;
    context.beginPath();
    run.grid.forEach((x, i) => context.lineTo(plot.X(x), plot.Y(run.bandY[0][i])));
    for (let i = run.places - 1; i >= 0; i--) context.lineTo(plot.X(run.grid[i]), plot.Y(run.bandY[1][i]));
    context.fillStyle = plot.theme.band;
    context.fill();
  }

  paintCorners(context, corners) {
    const { plot } = this;
    const { x0, x1 } = plot.range;
    const seen = corners.x.map((x, i) => i).filter((i) => i > 0 && i < corners.x.length - 1 && corners.x[i] >= x0 && corners.x[i] <= x1);
    const [x, y] = [seen.map((i) => corners.x[i]), seen.map((i) => corners.y[i])];
    this.crowded = plot.width / Math.max(seen.length, 1) < CROWDED;
    if (this.crowded) plot.dots(context, x, y, plot.theme.ink, 1.6);
    else plot.rings(context, x, y, 3, plot.theme.raised, plot.theme.ink);
  }

  paintReading(context) {
    const { plot, run, state, tip } = this;
    tip.hidden = state.reading === null || state.reading < plot.range.x0 || state.reading > plot.range.x1;
    if (tip.hidden) return;
    const active = this.host.matches(":hover, :focus");
    const point = active ? this.pointNear() : null;
    const place = point ? point.x : state.reading;
    const y = run.valueAt(state.momentOf(run), place);
    plot.vertical(context, place, plot.theme.soft, [2, 3]);
    plot.rings(context, [place], [y], 4, plot.theme.fit, plot.theme.raised);
    if (point) plot.rings(context, [point.x], [point.y], 4, plot.theme.data, plot.theme.ink);
    tip.textContent = this.readingText(place, point);
    const [px, py] = [plot.X(place), point ? plot.Y(point.y) : plot.Y(y)];
    const left = px + 14 + tip.offsetWidth > plot.width ? px - 14 - tip.offsetWidth : px + 14;
    const top = Math.max(4, Math.min(plot.height - tip.offsetHeight - 4, py - tip.offsetHeight - 8));
    tip.style.translate = `${Math.max(0, left)}px ${top}px`;
  }

  description(m) {
    const { run } = this;
    return `Fit of ${run.yName} over ${run.xName} after ${run.step[m]} steps. Arrow keys read it.`;
  }
}

function trueAt(run, place) {
  return smooth(run.grid, run.trueY, place);
}
