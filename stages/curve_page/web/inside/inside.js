// What the reader looks at inside the network of one run: a unit, a partial sum, the network without its activation.

const PLACES = 601; // in view of a plain network, which is evaluated there anew

export class Inside {
  constructor(state) {
    this.state = state;
    this.cache = new Map();
  }

  show(run) {
    this.run = run;
    this.cache.clear();
  }

  get network() {
    return this.run.networkAt(this.state.momentOf(this.run));
  }

  // Positions on the x axis at which the network is evaluated: those in view; with waves those of the grid, as waves take
  // longer.
  get places() {
    const { run, state } = this;
    if (!state.view || run.components) return run.grid;
    return this.remembered("places", [state.view], () => {
      const { x0, x1 } = state.view;
      const [low, high] = [Math.max(x0, run.grid[0]), Math.min(x1, run.grid[run.places - 1])];
      return Float64Array.from({ length: PLACES }, (_, i) => low + ((high - low) * i) / (PLACES - 1));
    });
  }

  get u() {
    const { run, places } = this;
    return places === run.grid ? run.u : this.remembered("u", [places], () => places.map((x) => (x - run.xCentre) / run.xScale));
  }

  // Everything in the network at `places`; null if it was recorded from outside alone.
  get values() {
    const { network } = this;
    return network && this.remembered("values", [network, this.u], () => network.evaluate(this.u));
  }

  // The same over the whole range, whatever is in view.
  get whole() {
    const { network, run } = this;
    return network && this.remembered("whole", [network], () => (this.u === run.u ? this.values : network.evaluate(run.u)));
  }

  get sum() {
    const { network } = this;
    return network && this.remembered("sum", [network, this.u], () => network.sum(this.values));
  }

  // The hidden unit looked at in this run, { layer, unit, kept }; null if none.
  get unit() {
    const { unit } = this.state;
    return unit?.run === this.run && this.network ? unit : null;
  }

  // What the unit gives out and adds to the fit over the whole range, and where it bends.
  get unitValues() {
    const { network, run, unit } = this;
    return unit && this.remembered("unit", [network, unit.layer, unit.unit], () => {
      const inside = this.whole;
      return {
        output: inside.after[unit.layer][unit.unit],
        adds: network.contribution(run.u, inside, unit.layer, unit.unit),
        bends: zeros(run.grid, inside.before[unit.layer][unit.unit]),
      };
    });
  }

  // Draw over the fit what the reader tries, in the accent colour; of an ensemble the network's own curve, too.
  paintOver(context, plot) {
    const { state, run, values, network } = this;
    if (!values) return;
    const { theme } = plot;
    const y = (v) => v.map((value) => run.y(value));
    const { unit, places } = this;
    if (run.networks > 1 && (unit || state.bare || state.terms !== null)) plot.curve(context, places, y(values.v), theme.fit, 1, [3, 3]);
    if (unit) this.paintUnit(context, plot, unit);
    else if (state.bare) plot.curve(context, places, y(network.evaluate(this.u, { bare: true }).v), theme.accent, 2, [7, 4]);
    else if (state.terms !== null) plot.curve(context, places, this.partialSum(state.terms), theme.accent, 2.2);
  }

  // The fit without a unit, and where the unit bends.
  paintUnit(context, plot, { layer, unit }) {
    const { network, places, run, values } = this;
    const adds = network.contribution(this.u, values, layer, unit);
    const without = values.v.map((v, i) => run.y(v) - adds[i]);
    plot.curve(context, places, without, plot.theme.accent, 2);
    if (!["leaky_relu", "relu"].includes(run.activation)) return;
    for (const place of zeros(places, values.before[layer][unit])) plot.vertical(context, place, plot.theme.accent, [3, 3]);
  }

  // The constant and the first `count` terms of the sum, in y.
  partialSum(count) {
    const { constant, terms } = this.sum;
    const total = new Float64Array(this.places.length).fill(constant);
    for (const { values } of terms.slice(0, count)) values.forEach((value, i) => (total[i] += value));
    return total;
  }

  // Keep one value for each name while what it was made from stays the same.
  remembered(name, from, make) {
    const kept = this.cache.get(name);
    if (kept && kept.from.every((value, i) => value === from[i])) return kept.value;
    const value = make();
    this.cache.set(name, { from, value });
    return value;
  }
}

// Where values at ascending places change their sign, between neighbours by a straight line.
export function zeros(places, values) {
  const found = [];
  for (let i = 0; i + 1 < values.length; i++) {
    if (values[i] > 0 === values[i + 1] > 0) continue;
    found.push(places[i] + (values[i] / (values[i] - values[i + 1])) * (places[i + 1] - places[i]));
  }
  return found;
}
