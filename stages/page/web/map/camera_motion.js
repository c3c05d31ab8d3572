// Moving over the map: at once with the hand, smoothly otherwise.

const GLIDE = 280; // milliseconds of a zoom by a key or a double click
const NEAR = 24; // least CSS pixels between neighbouring points after going to one of them
const FILLED = 0.7; // of the screen by points that are shown as a whole
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Motion {
  constructor(map) {
    Object.assign(this, { map, viewport: map.viewport, gliding: null, listeners: [] });
  }

  // Call `listener` after every change of the viewport.
  onMove(listener) {
    this.listeners.push(listener);
  }

  moved() {
    this.map.redraw();
    for (const listener of this.listeners) listener();
  }

  // Move by pixels of the screen. A 3-D map turns instead, unless it is to `slide`.
  drag(dx, dy, slide) {
    if (this.map.data.dimensions === 3 && !slide) {
      this.viewport.rotate(dx, dy);
      this.map.turned();
    } else this.viewport.pan(dx, dy);
    this.moved();
  }

  zoom([left, top], factor) {
    this.viewport.zoomAt(left, top, factor);
    this.moved();
  }

  glideZoom(at, factor) {
    const { viewport } = this;
    const before = { x: viewport.x, y: viewport.y, scale: viewport.scale };
    viewport.zoomAt(...(at ?? [viewport.width / 2, viewport.height / 2]), factor);
    const after = { x: viewport.x, y: viewport.y, scale: viewport.scale };
    viewport.set(before);
    this.glide(after);
  }

  fit(smoothly = true) {
    const fitted = this.viewport.fitted();
    if (smoothly) this.glide(fitted);
    else this.viewport.set(fitted);
  }

  // Bring point i, large enough to see, to the middle.
  goTo(i, near = NEAR) {
    const { seen, spacing } = this.map.layout;
    this.glide({ x: seen[3 * i], y: seen[3 * i + 1], scale: Math.max(this.viewport.scale, near / spacing) });
  }

  // Bring some points to the middle, as large as the screen allows.
  goToAll(points) {
    const { viewport } = this;
    const { seen } = this.map.layout;
    const [xs, ys] = [0, 1].map((axis) => points.map((i) => seen[3 * i + axis]).sort((a, b) => a - b));
    const [width, height] = [xs, ys].map((values) => values.at(-1) - values[0] || 1e-9);
    const scale = FILLED * Math.min(viewport.width / width, viewport.height / height);
    this.glide({ x: (xs[0] + xs.at(-1)) / 2, y: (ys[0] + ys.at(-1)) / 2, scale });
  }

  // Move there smoothly; at once for readers who asked for less motion.
  glide(to) {
    const { viewport } = this;
    const from = { x: viewport.x, y: viewport.y, scale: viewport.scale };
    const start = performance.now();
    const glide = (this.gliding = (now) => {
      if (this.gliding !== glide) return;
      const t = still.matches ? 1 : Math.min(1, Math.max(0, (now - start) / GLIDE));
      const eased = 1 - (1 - t) ** 3;
      viewport.set({
        x: from.x + (to.x - from.x) * eased,
        y: from.y + (to.y - from.y) * eased,
        scale: from.scale * (to.scale / from.scale) ** eased,
      });
      this.moved();
      if (t < 1) requestAnimationFrame(glide);
      else this.gliding = null;
    });
    glide(start);
  }
}
