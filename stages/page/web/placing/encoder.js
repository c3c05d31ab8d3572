// The encoder in the browser: an image's latent, the mapped points whose latents are nearest, and from them its place.
// Weights are rounded to 6 bits and t-SNE does not move the point, so its place is an approximation.

const PLACING = 5; // nearest neighbours whose median is the place

export class Encoder {
  // described: the header's `encoder`; buffer: float32 numbers, then int8 levels, in the order in which they are read here.
  constructor(described, buffer) {
    this.described = described;
    const floats = new Float32Array(buffer, 0, described.floats);
    const levels = new Int8Array(buffer, 4 * described.floats);
    let [float, level] = [0, 0];
    const takeFloats = (count) => floats.subarray(float, (float += count));
    const takeMatrix = (shape) => {
      const count = shape.reduce((a, b) => a * b);
      const [scales, some] = [takeFloats(shape[0]), levels.subarray(level, (level += count))];
      const width = count / shape[0];
      return { shape, width, values: Float32Array.from(some, (value, k) => value * scales[Math.floor(k / width)]) };
    };
    const { size: [height, width] } = described;
    this.mean = takeFloats(height * width);
    this.layers = described.layers.map((shape) => ({ ...takeMatrix(shape), bias: takeFloats(shape[0]) }));
    this.linear = takeMatrix(described.linear);
    this.lengthPower = described.lengthPower;
    this.latents = takeMatrix(described.latents);
  }

  // The latent vector of an image, Uint8Array (height · width).
  latent(image) {
    const centred = Float32Array.from(image, (value, k) => value / 255 - this.mean[k]);
    let values = centred;
    this.layers.forEach((layer, k) => {
      if (k) values = values.map((x) => x / (1 + Math.exp(-x))); // SiLU
      values = multiplied(layer, values);
    });
    const straight = multiplied(this.linear, centred);
    values = values.map((x, k) => x + straight[k]);
    const length = Math.max(1e-6, Math.hypot(...values));
    return values.map((x) => x * length ** (this.lengthPower - 1));
  }

  // The `count` mapped points with the nearest latents, nearest first, and their distances.
  nearest(latent, count) {
    const { width, values } = this.latents; // one row for each dimension
    const squares = new Float32Array(width);
    latent.forEach((x, d) => {
      for (let i = 0; i < width; i++) squares[i] += (values[d * width + i] - x) ** 2;
    });
    const points = Array.from(squares.keys()).sort((i, j) => squares[i] - squares[j]).slice(0, count);
    return { points, distances: points.map((i) => Math.sqrt(squares[i])) };
  }

  // Where an image belongs, and whether it is farther from everything than nearly all mapped images are.
  place(image, { positions, dimensions, neighbourCount }) {
    const { points, distances } = this.nearest(this.latent(image), Math.max(PLACING, neighbourCount));
    const voters = points.slice(0, PLACING);
    const position = Array.from({ length: dimensions }, (_, axis) => median(voters.map((i) => positions[dimensions * i + axis])));
    const neighbours = points.slice(0, neighbourCount);
    const mean = distances.slice(0, neighbourCount).reduce((a, b) => a + b, 0) / neighbours.length;
    const { far } = this.described;
    return { position, neighbours, far: mean > far ? "its nearest latents are farther than those of images on the map" : "" };
  }
}

export function median(values) {
  const sorted = Float64Array.from(values).sort();
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
}

function multiplied({ shape: [rows], width, values, bias }, vector) {
  const product = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = bias ? bias[row] : 0;
    for (let k = 0; k < width; k++) sum += values[row * width + k] * vector[k];
    product[row] = sum;
  }
  return product;
}
