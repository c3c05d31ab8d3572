// A grid that finds the points in a rectangle.

export class Grid {
  // seen: Float32Array (3n) of x, y, z as `project` gives them.
  constructor(seen) {
    const total = seen.length / 3;
    this.seen = seen;
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < total; i++) {
      x0 = Math.min(x0, seen[3 * i]);
      x1 = Math.max(x1, seen[3 * i]);
      y0 = Math.min(y0, seen[3 * i + 1]);
      y1 = Math.max(y1, seen[3 * i + 1]);
    }
    this.side = Math.max(1, Math.min(128, Math.ceil(Math.sqrt(total / 8))));
    this.x0 = x0;
    this.y0 = y0;
    this.cell = Math.max(x1 - x0, y1 - y0, 1e-9) / this.side;
    this.start = new Uint32Array(this.side * this.side + 1);
    this.order = new Uint32Array(total); // the points, cell by cell
    const cells = new Uint32Array(total);
    for (let i = 0; i < total; i++) {
      cells[i] = this.column(seen[3 * i]) + this.side * this.row(seen[3 * i + 1]);
      this.start[cells[i] + 1]++;
    }
    for (let c = 0; c < this.side * this.side; c++) this.start[c + 1] += this.start[c];
    const next = this.start.slice();
    for (let i = 0; i < total; i++) this.order[next[cells[i]]++] = i;
  }

  column(x) {
    return Math.min(this.side - 1, Math.max(0, Math.floor((x - this.x0) / this.cell)));
  }

  row(y) {
    return Math.min(this.side - 1, Math.max(0, Math.floor((y - this.y0) / this.cell)));
  }

  // Ranges [from, to) of `order` that hold every point of a rectangle, and some around it: one for each row of cells.
  ranges(x0, y0, x1, y1) {
    const found = [];
    const [left, right] = [this.column(x0), this.column(x1)];
    for (let row = this.row(y0); row <= this.row(y1); row++) {
      const [from, to] = [this.start[row * this.side + left], this.start[row * this.side + right + 1]];
      if (from === to) continue;
      if (found.length && found.at(-1)[1] === from) found.at(-1)[1] = to;
      else found.push([from, to]);
    }
    return found;
  }

  // Every point of the rectangle for which `accept` holds.
  inside(x0, y0, x1, y1, accept) {
    const found = [];
    for (const [from, to] of this.ranges(x0, y0, x1, y1)) {
      for (let k = from; k < to; k++) {
        const i = this.order[k];
        const [x, y] = [this.seen[3 * i], this.seen[3 * i + 1]];
        if (x >= x0 && x <= x1 && y >= y0 && y <= y1 && accept(i)) found.push(i);
      }
    }
    return found;
  }
}

// A typical distance from a point to its nearest neighbour on the map: the median over a sample.
export function typicalSpacing(grid, mapped) {
  const { seen, cell } = grid;
  const distances = [];
  const step = Math.max(1, Math.floor(mapped / 150));
  for (let i = 0; i < mapped; i += step) {
    const [x, y] = [seen[3 * i], seen[3 * i + 1]];
    let nearest = Infinity;
    for (let reach = cell / 4; nearest > reach && reach < 1e4 * cell; reach *= 2) {
      for (const j of grid.inside(x - reach, y - reach, x + reach, y + reach, (j) => j !== i)) {
        nearest = Math.min(nearest, Math.hypot(seen[3 * j] - x, seen[3 * j + 1] - y));
      }
      if (grid.order.length < 2) break;
    }
    if (nearest < Infinity) distances.push(nearest);
  }
  distances.sort((a, b) => a - b);
  return distances[Math.floor(distances.length / 2)] || cell;
}
