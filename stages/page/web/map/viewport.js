// Which part of the map is on the screen, and in three dimensions from which side.

const MARGIN = 28; // CSS pixels around a map that fits
const FADING = [1.8, 3]; // zoom from which outlines and names fade, and at which they have given way to images
const ZOOM_RANGE = [0.5, 400]; // times the scale at which the whole map fits

export class Viewport {
  // bounds: {x0, x1, y0, y1} of the map, in its own units.
  constructor(bounds) {
    this.bounds = bounds;
    this.width = this.height = 1;
    this.x = (bounds.x0 + bounds.x1) / 2;
    this.y = (bounds.y0 + bounds.y1) / 2;
    this.scale = 1; // CSS pixels per map unit
    this.turn = [1, 0, 0, 0, 1, 0, 0, 0, 1]; // rotation, row-major
  }

  fitScale() {
    const { x0, x1, y0, y1 } = this.bounds;
    const width = Math.max(80, this.width - 2 * MARGIN);
    const height = Math.max(80, this.height - 2 * MARGIN);
    return Math.min(width / (x1 - x0), height / (y1 - y0));
  }

  // The position and scale at which the whole map fits.
  fitted() {
    const { x0, x1, y0, y1 } = this.bounds;
    return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale: this.fitScale() };
  }

  zoom() {
    return this.scale / this.fitScale();
  }

  // 1 where outlines and names of groups are drawn in full, 0 where the map is too near for them.
  farness() {
    return Math.min(1, Math.max(0, (FADING[1] - this.zoom()) / (FADING[1] - FADING[0])));
  }

  set({ x = this.x, y = this.y, scale = this.scale }) {
    const fit = this.fitScale();
    this.x = x;
    this.y = y;
    this.scale = Math.min(ZOOM_RANGE[1] * fit, Math.max(ZOOM_RANGE[0] * fit, scale));
  }

  toScreen(x, y) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 - (y - this.y) * this.scale];
  }

  toMap(left, top) {
    return [this.x + (left - this.width / 2) / this.scale, this.y - (top - this.height / 2) / this.scale];
  }

  pan(dx, dy) {
    this.set({ x: this.x - dx / this.scale, y: this.y + dy / this.scale });
  }

  // Zoom so that what is under the screen position (left, top) stays there.
  zoomAt(left, top, factor) {
    const [x, y] = this.toMap(left, top);
    this.set({ scale: this.scale * factor });
    this.set({ x: x - (left - this.width / 2) / this.scale, y: y + (top - this.height / 2) / this.scale });
  }

  // Turn a three-dimensional map by a drag of (dx, dy) pixels, about the screen's own axes.
  rotate(dx, dy) {
    const [a, b] = [dx * 0.008, dy * 0.008];
    const aboutY = [Math.cos(a), 0, Math.sin(a), 0, 1, 0, -Math.sin(a), 0, Math.cos(a)];
    const aboutX = [1, 0, 0, 0, Math.cos(b), -Math.sin(b), 0, Math.sin(b), Math.cos(b)];
    this.turn = multiply(aboutX, multiply(aboutY, this.turn));
  }
}

function multiply(a, b) {
  return a.map((_, i) => {
    const [row, column] = [Math.floor(i / 3) * 3, i % 3];
    return a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6];
  });
}

// The positions as seen: x, y across the screen and z towards the viewer, for each point. 2-D maps have z = 0.
export function project(positions, dimensions, turn, into) {
  const total = positions.length / dimensions;
  if (dimensions === 2) {
    for (let i = 0; i < total; i++) {
      into[3 * i] = positions[2 * i];
      into[3 * i + 1] = positions[2 * i + 1];
    }
    return into;
  }
  for (let i = 0; i < total; i++) {
    const [x, y, z] = [positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]];
    for (let axis = 0; axis < 3; axis++) {
      into[3 * i + axis] = turn[3 * axis] * x + turn[3 * axis + 1] * y + turn[3 * axis + 2] * z;
    }
  }
  return into;
}

// What holds every point: in 3-D from any side, so that turning never moves a point out of a fitted view.
export function boundsOf(positions, dimensions) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  let reach = 0;
  for (let i = 0; i < positions.length; i++) {
    const axis = i % dimensions;
    low[axis] = Math.min(low[axis], positions[i]);
    high[axis] = Math.max(high[axis], positions[i]);
    reach = Math.max(reach, Math.abs(positions[i]));
  }
  reach ||= 1;
  if (dimensions === 3) return { x0: -reach, x1: reach, y0: -reach, y1: reach };
  if (!positions.length) return { x0: -1, x1: 1, y0: -1, y1: 1 };
  const least = 1e-3 * reach; // one point, or all in a row, still have a size
  const half = [0, 1].map((axis) => Math.max(least, (high[axis] - low[axis]) / 2));
  const middle = [0, 1].map((axis) => (high[axis] + low[axis]) / 2);
  return { x0: middle[0] - half[0], x1: middle[0] + half[0], y0: middle[1] - half[1], y1: middle[1] + half[1] };
}
