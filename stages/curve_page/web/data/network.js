// One network at one moment, evaluated from its weights: what each unit gives out, and what it adds to the fit.

const ACTIVATIONS = {
  leaky_relu: (value, slope) => (value > 0 ? value : slope * value),
  relu: (value) => Math.max(value, 0),
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  tanh: Math.tanh,
  identity: (value) => value,
};

export class Network {
  constructor(run, k) {
    this.run = run;
    const inputs = 1 + run.components;
    const widths = [inputs, ...run.hiddenLayers, 1];
    const count = run.weights.length / run.inside.length;
    this.numbers = run.weights.subarray(k * count, (k + 1) * count);
    this.read = 0;
    this.layers = run.hiddenLayers.concat(1).map((outputs, i) => this.layer(widths[i], outputs));
    this.skip = run.components ? this.layer(inputs, 1) : null;
    const slope = run.slope;
    const activation = ACTIVATIONS[run.activation];
    this.bend = (value) => activation(value, slope);
  }

  layer(inputs, outputs) {
    const weights = this.numbers.subarray(this.read, this.read + inputs * outputs);
    const biases = this.numbers.subarray(this.read + inputs * outputs, (this.read += inputs * outputs + outputs));
    return { inputs, outputs, weights, biases };
  }

  // Everything in the network at scaled x `u`: `before` and `after` the activation of each hidden layer, rows of units,
  // `skip` (a row, or null) and the network's `v`, scaled y. `bare` leaves the activation out; `held` = { layer, unit,
  // value } keeps the output of a unit at a value.
  evaluate(u, { bare = false, held = null } = {}) {
    const features = this.features(u);
    const before = [];
    const after = [];
    let hidden = features;
    this.layers.forEach((layer, i) => {
      const sums = product(hidden, layer);
      if (i === this.layers.length - 1) {
        hidden = sums;
        return;
      }
      const outputs = bare ? sums : sums.map((row) => row.map(this.bend));
      if (held?.layer === i) outputs[held.unit] = new Float64Array(u.length).fill(held.value);
      before.push(sums);
      after.push(outputs);
      hidden = outputs;
    });
    const skip = this.skip && product(features, this.skip)[0];
    const v = skip ? hidden[0].map((value, j) => value + skip[j]) : hidden[0];
    return { before, after, skip, v };
  }

  // Rows of what the network sees at `u`: u itself and the combined waves.
  features(u) {
    if (!this.run.components) return [Float64Array.from(u)];
    if (this.run.featuresOf?.u !== u) this.run.featuresOf = { u, rows: [Float64Array.from(u), ...combinedWaves(this.run, u)] };
    return this.run.featuresOf.rows;
  }

  // What a unit adds to the fit at `u`, in y: the fit minus the fit in which its output stays at its mean.
  contribution(u, inside, layer, unit) {
    const output = inside.after[layer][unit];
    const without = this.evaluate(u, { held: { layer, unit, value: mean(output) } });
    return inside.v.map((v, j) => (v - without.v[j]) * this.run.yScale);
  }

  // The network's output as a sum, in y: a constant, then the terms, the largest first. Each term has the mean 0.
  sum(inside) {
    const { weights } = this.layers.at(-1);
    const rows = inside.after.at(-1) ?? [];
    const terms = rows.map((row, unit) => ({ unit, values: row.map((value) => value * weights[unit] * this.run.yScale) }));
    for (const term of terms) centre(term);
    terms.sort((a, b) => b.size - a.size);
    if (inside.skip) {
      const skip = { unit: -1, values: inside.skip.map((value) => value * this.run.yScale) };
      centre(skip);
      terms.unshift(skip);
    }
    return { constant: this.run.y(mean(inside.v)), terms };
  }

  // How strongly each unit of a hidden layer acts on the next: the spread of its output times the size of its weights.
  strengths(inside, layer) {
    const { weights, outputs } = this.layers[layer + 1];
    return inside.after[layer].map((row, unit) => {
      let size = 0;
      for (let j = 0; j < outputs; j++) size += weights[unit * outputs + j] ** 2;
      return spread(row) * Math.sqrt(size);
    });
  }
}

// The sum over inputs (rows of values) for each output of a linear layer.
function product(rows, { inputs, outputs, weights, biases }) {
  const count = rows[0].length;
  const sums = Array.from({ length: outputs }, (_, j) => new Float64Array(count).fill(biases[j]));
  for (let j = 0; j < outputs; j++) {
    const sum = sums[j];
    for (let i = 0; i < inputs; i++) {
      const weight = weights[i * outputs + j];
      const row = rows[i];
      for (let k = 0; k < count; k++) sum[k] += weight * row[k];
    }
  }
  return sums;
}

// The features of `FourierFeatures` in stages/regressor/network.py, but for u itself.
function combinedWaves({ components, frequencies, mix }, u) {
  const rows = Array.from({ length: components }, () => new Float64Array(u.length));
  const wave = new Float64Array(u.length);
  for (let k = 0; k < 2 + 2 * frequencies; k++) {
    const angular = (((k - 2) % frequencies) + 1) * (Math.PI / 1.5);
    u.forEach((value, j) => {
      const inRange = Math.max(-1, Math.min(1, value));
      if (k < 2) wave[j] = k ? inRange : 1;
      else wave[j] = k - 2 < frequencies ? Math.sin(inRange * angular) : Math.cos(inRange * angular);
    });
    for (let c = 0; c < components; c++) {
      const weight = mix[k * components + c];
      if (!weight) continue;
      const row = rows[c];
      for (let j = 0; j < wave.length; j++) row[j] += weight * wave[j];
    }
  }
  return rows;
}

export function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

export function spread(values) {
  const middle = mean(values);
  let sum = 0;
  for (const value of values) sum += (value - middle) ** 2;
  return Math.sqrt(sum / values.length);
}

function centre(term) {
  const middle = mean(term.values);
  term.values = term.values.map((value) => value - middle);
  term.size = spread(term.values);
}
