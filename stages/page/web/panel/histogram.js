// The distribution of a numeric column or of dates, with a brush and two fields that keep a range.
import { writtenNumber } from "../data/columns.js";
import { button, element } from "../dom_elements.js";
import { cssColour, scaleColour } from "../map/point_colours.js";

const BINS = 48;
const HEIGHT = 52; // CSS pixels
const DAY = 86400000;

export class Histogram {
  constructor(state, map, column, into, { coloured = false } = {}) {
    Object.assign(this, { state, map, column, coloured });
    const { low, high } = column;
    this.span = high - low || 1;
    this.bins = Uint8Array.from(column.values, (value) =>
      Number.isFinite(value) ? Math.min(BINS - 1, Math.floor(((value - low) / this.span) * BINS)) : 255,
    );
    this.canvas = element("canvas", { class: "histogram", "aria-hidden": "true" });
    this.fields = ["from", "to"].map((end) => {
      const type = column.type === "date" ? "date" : "number";
      const field = element("input", { type, step: "any", "aria-label": `${column.title}: ${end}` });
      field.addEventListener("change", () => this.takeFields());
      return field;
    });
    const ticks = element("div", { class: "ticks", "aria-hidden": "true" }, ...this.ticks());
    const reset = button("all", () => state.setFilter(column.key, null), { "aria-label": `Show all: ${column.title}` });
    into.replaceChildren(this.canvas, ticks, element("p", { class: "range" }, this.fields[0], "–", this.fields[1], reset));
    this.listen();
    this.update();
  }

  ticks() {
    const { column } = this;
    return niceTicks(column).map((value) => {
      const tick = element("span", {}, column.type === "date" ? column.written(value).slice(0, 10) : writtenNumber(value));
      const share = (value - column.low) / this.span;
      tick.style.left = `${100 * share}%`;
      tick.style.translate = `${-100 * share}% 0`;
      return tick;
    });
  }

  listen() {
    const { canvas, state, column } = this;
    let start = null;
    const valueAt = (event) => {
      const box = canvas.getBoundingClientRect();
      return column.low + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * this.span;
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      start = valueAt(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (start === null) return;
      const [from, to] = [start, valueAt(event)].sort((a, b) => a - b);
      if (to - from > this.span / 200) state.setFilter(column.key, { from, to });
    });
    canvas.addEventListener("pointerup", (event) => {
      if (start !== null && Math.abs(valueAt(event) - start) <= this.span / 200) state.setFilter(column.key, null);
      start = null;
    });
    canvas.addEventListener("pointercancel", () => (start = null));
  }

  takeFields() {
    const { column, state } = this;
    const [from, to] = this.fields.map((field) => (column.type === "date" ? Date.parse(field.value) : parseFloat(field.value)));
    const filter = {
      from: Number.isFinite(from) ? from : column.low,
      to: Number.isFinite(to) ? to + (column.type === "date" ? DAY - 1 : 0) : column.high,
    };
    state.setFilter(column.key, filter);
  }

  update() {
    const { state, column, bins } = this;
    const isShown = state.shownWithout(column.key);
    const [all, left] = [new Uint32Array(256), new Uint32Array(256)];
    for (let i = 0; i < bins.length; i++) {
      if (!state.isInLayer(i)) continue;
      all[bins[i]]++;
      if (isShown(i)) left[bins[i]]++;
    }
    this.draw(all.subarray(0, BINS), left.subarray(0, BINS));
    const filter = state.filters.get(column.key);
    for (const [k, end] of ["from", "to"].entries()) {
      const field = this.fields[k];
      if (document.activeElement === field) continue;
      const limit = k ? column.high : column.low;
      field.placeholder = column.written(limit);
      if (!filter || filter[end] === limit) field.value = "";
      else if (column.type === "date") field.value = new Date(filter[end]).toISOString().slice(0, 10);
      else field.value = Number(filter[end].toPrecision(6));
    }
  }

  // Pale bars for all points, full ones for those that pass the other filters and lie within the range.
  draw(all, left) {
    const { canvas, column, state, map } = this;
    const ratio = map.ratio;
    const width = canvas.clientWidth || 276;
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(HEIGHT * ratio) });
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const most = Math.max(1, ...all);
    const filter = state.filters.get(column.key);
    for (let b = 0; b < BINS; b++) {
      const middle = column.low + ((b + 0.5) / BINS) * this.span;
      const within = !filter || (middle + this.span / BINS / 2 >= filter.from && middle - this.span / BINS / 2 <= filter.to);
      const colour = this.coloured ? scaleColour(column, middle) : map.theme.ink;
      const tall = (amount) => amount && Math.max(1.5, (amount / most) ** 0.6 * (HEIGHT - 2)); // small bars stay visible
      for (const [amount, alpha] of [[all[b], 0.14], [within ? left[b] : 0, this.coloured ? 1 : 0.62]]) {
        context.fillStyle = cssColour(colour, alpha);
        context.fillRect((b / BINS) * width, HEIGHT - tall(amount), width / BINS - 0.75, tall(amount));
      }
    }
  }
}

// Three to six round values between a column's ends; for dates its ends and middle.
function niceTicks({ type, low, high }) {
  if (!(high > low)) return [low];
  if (type === "date") return [low, (low + high) / 2, high];
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}
