// The drawn map, somewhat larger than what is seen of it: while the map is only moved, the browser slides the finished
// picture, and the points are drawn anew when its edge comes near. So moving 70,000 points costs as little as 600.

export const MARGIN = 160; // CSS pixels of the canvas beyond each side of the view

export class Picture {
  constructor(canvas, renderer) {
    Object.assign(this, { canvas, renderer, drawn: null });
  }

  // Show the scene's view, by sliding the picture or by drawing.
  show(scene) {
    const { view, version, ratio } = scene;
    const key = [version, view.scale, view.width, view.height, ratio].join();
    const same = this.drawn?.key === key;
    const snap = (pixels) => Math.round(pixels * ratio) / ratio; // a shift by parts of a pixel would blur
    let dx = same ? snap((this.drawn.x - view.x) * view.scale) : 0;
    let dy = same ? snap((view.y - this.drawn.y) * view.scale) : 0;
    if (!same || Math.abs(dx) > this.drawn.margin || Math.abs(dy) > this.drawn.margin) {
      this.draw(scene, key, same ? MARGIN : 0); // who zooms does not need what lies beyond the edge
      dx = dy = 0;
    }
    this.canvas.style.translate = `${dx}px ${dy}px`;
  }

  draw(scene, key, margin) {
    const { view } = scene;
    this.drawn = { key, margin, x: view.x, y: view.y };
    const [width, height] = [view.width + 2 * MARGIN, view.height + 2 * MARGIN];
    const whole = Object.assign(Object.create(view), { x: view.x, y: view.y, width, height });
    const inset = MARGIN - margin;
    this.renderer.draw(scene, whole, scene.listed(whole, [inset, inset, width - inset, height - inset]));
  }
}
