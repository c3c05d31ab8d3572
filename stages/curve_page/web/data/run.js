// One recorded training. Positions on the axes ("places") are x, or its logarithm, and y; the recording is in scaled ones.
import { Network } from "./network.js";

export class Run {
  constructor(header, arrays) {
    const { corners, ...others } = arrays;
    Object.assign(this, header, others, { cornerList: corners });
    [this.xCentre, this.xScale, this.yCentre, this.yScale] = this.scale;
    this.grid = Float64Array.from(this.u, (u) => this.place(u));
    this.places = this.u.length;
    this.last = this.step.length - 1;
    this.epochSteps = this.step[this.last] / (this.epoch_loss.length / 2);
    this.fits = new Map();
    this.networksAt = new Map();
    this.cornersAt = new Map();
    this.trueY = this.truth.length ? Float64Array.from(this.truth, (v) => this.y(v)) : null;
    this.bandY = [0, 1].map((side) => Float64Array.from(this.band.subarray(side * this.places, (side + 1) * this.places), (v) => this.y(v)));
    this.trainPoints = this.points(this.train);
    this.testPoints = this.points(this.test);
    let from = 0;
    this.cornerStarts = [...this.corner_counts].map((count) => (from += count) - count);
  }

  place(u) {
    return this.xCentre + this.xScale * u;
  }

  y(v) {
    return this.yCentre + this.yScale * v;
  }

  // The x of a position on the axis.
  x(place) {
    return this.logX ? Math.exp(place) : place;
  }

  // { x, y } of points in the range, positions on the axes.
  points(pairs) {
    const x = [];
    const y = [];
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i] < this.u[0] - 1e-6 || pairs[i] > this.u[this.places - 1] + 1e-6) continue;
      x.push(this.place(pairs[i]));
      y.push(this.y(pairs[i + 1]));
    }
    return { x, y };
  }

  // The fit at moment m on the grid, as y.
  fitAt(m) {
    return this.kept(this.fits, m, () => {
      return Float64Array.from(this.fit.subarray(m * this.places, (m + 1) * this.places), (v) => this.y(v));
    });
  }

  // Where the straight pieces of the fit end, { x, y } with both ends of the range; null if it has curves, or if moment m
  // was recorded from outside alone.
  corners(m) {
    const k = this.inside.indexOf(m);
    if (k < 0 || !this.corner_counts.length) return null;
    return this.kept(this.cornersAt, m, () => {
      const x = [];
      const y = [];
      for (let i = this.cornerStarts[k]; i < this.cornerStarts[k] + this.corner_counts[k]; i++) {
        x.push(this.place(this.cornerList[2 * i]));
        y.push(this.y(this.cornerList[2 * i + 1]));
      }
      return { x, y };
    });
  }

  get isPiecewiseLinear() {
    return !this.components && ["leaky_relu", "relu", "identity"].includes(this.activation);
  }

  // The first network of the ensemble at moment m, or at the last one before it that was recorded inside; null if none.
  networkAt(m) {
    const k = this.inside.findLastIndex((inside) => inside <= m);
    if (k < 0) return null;
    return this.kept(this.networksAt, k, () => new Network(this, k));
  }

  kept(store, key, make) {
    if (!store.has(key)) store.set(key, make());
    return store.get(key);
  }

  // The fit at a position on the axis.
  valueAt(m, place) {
    const corners = this.corners(m);
    return corners ? interpolated(corners.x, corners.y, place) : smooth(this.grid, this.fitAt(m), place);
  }

  bandAt(place) {
    return this.bandY.map((bound) => interpolated(this.grid, bound, place));
  }

  // { step, train, validation } of each epoch.
  get epochs() {
    return (this.epochTable ??= Array.from({ length: this.epoch_loss.length / 2 }, (_, i) => ({
      epoch: i + 1,
      step: (i + 1) * this.epochSteps,
      train: this.epoch_loss[2 * i],
      validation: this.epoch_loss[2 * i + 1],
    })));
  }

  // The epoch of least validation loss; null if none was measured.
  get best() {
    const measured = this.epochs.filter(({ validation }) => Number.isFinite(validation));
    return measured.length ? measured.reduce((a, b) => (b.validation < a.validation ? b : a)) : null;
  }

  // y minus fit of the test points at moment m.
  residuals(m) {
    return this.testPoints.x.map((x, i) => this.testPoints.y[i] - this.valueAt(m, x));
  }
}

// The index of the interval of ascending numbers that holds `place`.
export function intervalOf(numbers, place) {
  let low = 0;
  let high = numbers.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= place) low = middle;
    else high = middle;
  }
  return low;
}

export function interpolated(x, y, place) {
  const i = intervalOf(x, place);
  const share = x[i + 1] > x[i] ? (place - x[i]) / (x[i + 1] - x[i]) : 0;
  return y[i] + Math.max(0, Math.min(1, share)) * (y[i + 1] - y[i]);
}

// Cubic (Catmull-Rom) between equally spaced places.
export function smooth(x, y, place) {
  const last = x.length - 1;
  const i = intervalOf(x, place);
  const t = Math.max(0, Math.min(1, (place - x[i]) / (x[i + 1] - x[i])));
  const [a, b, c, d] = [y[Math.max(i - 1, 0)], y[i], y[i + 1], y[Math.min(i + 2, last)]];
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}
