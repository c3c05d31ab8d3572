// Draws an overscan: a margin beyond the viewport. While the map only moves, the browser slides the finished canvas,
// and the points are drawn again when its edge comes near. So moving 70,000 points costs as little as moving 600.

export const MARGIN = 160; // CSS pixels of the canvas beyond each side of the viewport

export class OverscanCanvas {
  constructor(canvas, map) {
    Object.assign(this, { canvas, map, drawn: null });
  }

  // Show the present viewport, by sliding or by drawing.
  show() {
    const { viewport, version, ratio } = this.map;
    const key = [version, viewport.scale, viewport.width, viewport.height, ratio].join();
    const same = this.drawn?.key === key;
    const snap = (pixels) => Math.round(pixels * ratio) / ratio; // a shift by parts of a pixel would blur
    let dx = same ? snap((this.drawn.x - viewport.x) * viewport.scale) : 0;
    let dy = same ? snap((viewport.y - this.drawn.y) * viewport.scale) : 0;
    if (!same || Math.abs(dx) > this.drawn.margin || Math.abs(dy) > this.drawn.margin) {
      this.draw(key, same ? MARGIN : 0); // while zooming, nothing beyond the edge is needed
      dx = dy = 0;
    }
    this.canvas.style.translate = `${dx}px ${dy}px`;
  }

  draw(key, margin) {
    const { map } = this;
    const { viewport } = map;
    this.drawn = { key, margin, x: viewport.x, y: viewport.y };
    const [width, height] = [viewport.width + 2 * MARGIN, viewport.height + 2 * MARGIN];
    const whole = Object.assign(Object.create(viewport), { x: viewport.x, y: viewport.y, width, height });
    const inset = MARGIN - margin;
    map.renderer.draw(map, whole, map.listed(whole, [inset, inset, width - inset, height - inset]));
  }
}
