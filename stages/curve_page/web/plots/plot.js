// A chart with two axes on two canvases: `back` for what stays, `front` for what moves.
import { element } from "../../../page/web/dom_elements.js";

const LEFT = 52;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 36;

export class Plot {
  // `paint(plot)` draws the chart.
  constructor(host, theme, { label = "", left = LEFT, bottom = BOTTOM } = {}) {
    Object.assign(this, { host, theme, left, bottom });
    this.range = { x0: 0, x1: 1, y0: 0, y1: 1 };
    this.back = element("canvas", { "aria-hidden": "true" });
    this.front = element("canvas", { role: "img", "aria-label": label });
    host.append(this.back, this.front);
    this.paint = () => {};
    this.frame = 0;
    theme.onChange(() => this.draw());
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(host);
  }

  // Draw in the next frame, once, however often it is asked for.
  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.measure();
      if (this.width > 0) this.paint(this);
    });
  }

  measure() {
    this.width = this.host.clientWidth;
    this.height = this.host.clientHeight;
    this.clear(this.front);
  }

  clear(canvas) {
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
  }

  // Draw what stays, by `act`, unless it is there already: for the same `subject`, range, size and colours.
  still(subject, act) {
    const { width, height, theme } = this;
    const now = [subject, ...Object.values(this.range), width, height, devicePixelRatio, theme.dark];
    if (this.drawn?.every((value, i) => value === now[i])) return;
    this.drawn = now;
    this.clear(this.back);
    act();
  }

  X(x) {
    const { x0, x1 } = this.range;
    return this.left + ((x - x0) / (x1 - x0)) * (this.width - this.left - RIGHT);
  }

  Y(y) {
    const { y0, y1 } = this.range;
    return TOP + ((y1 - y) / (y1 - y0)) * (this.height - TOP - this.bottom);
  }

  placeAt(px) {
    const { x0, x1 } = this.range;
    return x0 + ((px - this.left) / (this.width - this.left - RIGHT)) * (x1 - x0);
  }

  yAt(py) {
    const { y0, y1 } = this.range;
    return y1 - ((py - TOP) / (this.height - TOP - this.bottom)) * (y1 - y0);
  }

  // Axes with ticks [{ at, text }] and names.
  axes(xTicks, yTicks, xName, yName) {
    const { theme, width, height, left, bottom } = this;
    const context = this.back.getContext("2d");
    context.font = "11px system-ui, sans-serif";
    context.lineWidth = 1;
    context.strokeStyle = theme.line;
    context.fillStyle = theme.soft;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const { at, text } of yTicks) {
      const y = Math.round(this.Y(at)) + 0.5;
      line(context, left, y, width - RIGHT, y);
      context.fillText(text, left - 6, y);
    }
    context.textBaseline = "top";
    let free = -Infinity;
    for (const { at, text } of xTicks) {
      const x = Math.round(this.X(at)) + 0.5;
      line(context, x, height - bottom, x, height - bottom + 4);
      const half = context.measureText(text).width / 2;
      const middle = Math.min(Math.max(x, left + Math.min(half - left, 0)), width - half);
      if (middle - half < free) continue;
      context.textAlign = "center";
      context.fillText(text, middle, height - bottom + 6);
      free = middle + half + 8;
    }
    line(context, left, height - bottom + 0.5, width - RIGHT, height - bottom + 0.5);
    context.fillText(fitting(context, xName, width - left - RIGHT), (left + width - RIGHT) / 2, height - 14);
    if (yName) {
      context.save();
      context.translate(2, (TOP + height - bottom) / 2);
      context.rotate(-Math.PI / 2);
      context.fillText(fitting(context, yName, height - TOP - bottom), 0, 0);
      context.restore();
    }
  }

  // Keep what `act` draws on a canvas inside the axes.
  inside(canvas, act) {
    const context = canvas.getContext("2d");
    context.save();
    context.beginPath();
    context.rect(this.left - 6, TOP - 6, this.width - this.left - RIGHT + 12, this.height - TOP - this.bottom + 8);
    context.clip();
    act(context);
    context.restore();
  }

  // A line through x and y, arrays of positions.
  curve(context, x, y, colour, width, dash = []) {
    context.beginPath();
    let drawing = false;
    for (let i = 0; i < x.length; i++) {
      if (!Number.isFinite(y[i])) {
        drawing = false;
        continue;
      }
      if (drawing) context.lineTo(this.X(x[i]), this.Y(y[i]));
      else context.moveTo(this.X(x[i]), this.Y(y[i]));
      drawing = true;
    }
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.lineJoin = "round";
    context.setLineDash(dash);
    context.stroke();
    context.setLineDash([]);
  }

  dots(context, x, y, colour, radius, alpha = 1) {
    context.fillStyle = colour;
    context.globalAlpha = alpha;
    const size = 2 * radius;
    for (let i = 0; i < x.length; i++) {
      const [px, py] = [this.X(x[i]), this.Y(y[i])];
      if (radius < 1.6) {
        context.fillRect(px - radius, py - radius, size, size);
      } else {
        context.beginPath();
        context.arc(px, py, radius, 0, 7);
        context.fill();
      }
    }
    context.globalAlpha = 1;
  }

  rings(context, x, y, radius, fill, stroke) {
    context.lineWidth = 1.4;
    context.fillStyle = fill;
    context.strokeStyle = stroke;
    for (let i = 0; i < x.length; i++) {
      context.beginPath();
      context.arc(this.X(x[i]), this.Y(y[i]), radius, 0, 7);
      context.fill();
      context.stroke();
    }
  }

  vertical(context, x, colour, dash = []) {
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash(dash);
    const at = Math.round(this.X(x)) + 0.5;
    line(context, at, TOP, at, this.height - this.bottom);
    context.setLineDash([]);
  }

  horizontal(context, y, colour, dash = []) {
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash(dash);
    const at = Math.round(this.Y(y)) + 0.5;
    line(context, this.left, at, this.width - RIGHT, at);
    context.setLineDash([]);
  }
}

function line(context, x0, y0, x1, y1) {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

function fitting(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let length = text.length;
  while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > room) length--;
  return `${text.slice(0, length)}…`;
}

// [low, high] of the finite values of some arrays, with a margin.
export function extent(arrays, margin = 0.06) {
  let low = Infinity;
  let high = -Infinity;
  for (const values of arrays) {
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (!(high > low)) [low, high] = [(Number.isFinite(low) ? low : 0) - 1, (Number.isFinite(high) ? high : 0) + 1];
  const reach = margin * (high - low);
  return [low - reach, high + reach];
}

// Without values further outside their middle 98 % than `far` times its width, as a few would flatten all others.
export function withoutFar(values, far = 3) {
  const sorted = Float64Array.from(values).sort();
  const cut = Math.floor(0.01 * sorted.length);
  const [low, high] = [sorted[cut], sorted[sorted.length - 1 - cut]];
  const reach = far * (high - low);
  return sorted.filter((value) => value >= low - reach && value <= high + reach);
}
