// Moving over the map, at once with the hand and smoothly otherwise.

const GLIDE = 280; // milliseconds of a zoom by a key or a double click
const NEAR = 24; // CSS pixels between neighbouring points, at least, when one of them is gone to
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Camera {
  // `moved` is called after every change of the view.
  constructor(scene, moved) {
    Object.assign(this, { scene, view: scene.view, moved, gliding: null });
  }

  // By pixels of the screen: a flat map moves, a 3-D one turns unless it is to `slide`.
  drag(dx, dy, slide) {
    if (this.scene.data.dimensions === 3 && !slide) {
      this.view.rotate(dx, dy);
      this.scene.turned();
    } else this.view.pan(dx, dy);
    this.moved();
  }

  zoom([left, top], factor) {
    this.view.zoomAt(left, top, factor);
    this.moved();
  }

  glideZoom(at, factor) {
    const { view } = this;
    const before = { x: view.x, y: view.y, scale: view.scale };
    view.zoomAt(...(at ?? [view.width / 2, view.height / 2]), factor);
    const after = { x: view.x, y: view.y, scale: view.scale };
    view.set(before);
    this.glide(after);
  }

  fit(smoothly = true) {
    const fitted = this.view.fitted();
    if (smoothly) this.glide(fitted);
    else this.view.set(fitted);
  }

  // Bring point i, large enough to see, to the middle.
  goTo(i, near = NEAR) {
    const { seen, spacing } = this.scene;
    this.glide({ x: seen[3 * i], y: seen[3 * i + 1], scale: Math.max(this.view.scale, near / spacing) });
  }

  // Move the view there smoothly; at once for those who asked for less motion.
  glide(to) {
    const { view } = this;
    const from = { x: view.x, y: view.y, scale: view.scale };
    const start = performance.now();
    const glide = (this.gliding = (now) => {
      if (this.gliding !== glide) return;
      const t = still.matches ? 1 : Math.min(1, Math.max(0, (now - start) / GLIDE));
      const eased = 1 - (1 - t) ** 3;
      view.set({
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
