// What the panels say of a run, in words, from its numbers.
import { mean } from "./data/network.js";
import { shown } from "./plots/ticks.js";

const OPTIMIZERS = { adam: "Adam", adamw: "AdamW", sgd: "SGD" };
const MISSED = 2; // turns of the true curve more than the fit has, from which it is worth a word
const CHANGE = 0.02; // share of a loss that is worth a word
const LATE = 0.8; // share of the epochs after which a falling loss has not settled

export function activationWords(run) {
  if (run.activation === "identity") return "no activation";
  return run.activationName;
}

// The run in a line: what it learned from, and with what.
export function settingsWords(run) {
  const layers = run.hiddenLayers.length ? `hidden layers of ${run.hiddenLayers.join(", ")} units with ${activationWords(run)}` : "no hidden layer";
  const input = run.components ? `${run.xName} as ${run.components} combined waves` : `${run.logX ? "log " : ""}${run.xName} itself`;
  const networks = run.networks > 1 ? `mean of ${run.networks} networks` : "one network";
  const { optimizer, learning_rate: rate } = run.settings;
  const how = optimizer ? `; ${OPTIMIZERS[optimizer] ?? optimizer}, learning rate ${rate}` : "";
  return `${(run.counts.train ?? 0).toLocaleString("en")} points; ${networks}: ${input}, ${layers}; ${run.loss.toUpperCase()} loss${how}`;
}

// The settings in which two runs differ: `optimizer: sgd, not adam`.
export function differences(run, other) {
  const keys = [...new Set([...Object.keys(run.settings), ...Object.keys(other.settings)])];
  const found = keys.filter((key) => run.settings[key] !== other.settings[key]);
  return found.map((key) => `${key.replaceAll("_", " ")}: ${run.settings[key] ?? "–"}`).join("; ");
}

// How often the true curve and the fit turn, up to down or back, in the outer quarters of the range and between them.
export function turns(run, m) {
  if (!run.trueY) return null;
  const quarter = run.places / 4;
  const isOuter = (i) => i < quarter || i >= run.places - quarter;
  const count = (y, outer) => {
    let found = 0;
    for (let i = 1; i + 1 < y.length; i++) found += isOuter(i) === outer && (y[i] - y[i - 1]) * (y[i + 1] - y[i]) < 0;
    return found;
  };
  const fit = run.fitAt(m);
  const both = (outer) => ({ curve: count(run.trueY, outer), fit: count(fit, outer) });
  return { outer: both(true), middle: both(false) };
}

export function fitWords(run, m) {
  const lines = [];
  const corners = run.corners(m);
  const isLine = !run.components && (run.activation === "identity" || !run.hiddenLayers.length);
  if (isLine) {
    lines.push("The fit is one straight line: without an activation, layers of weights add up to a line.");
  } else if (corners) {
    const pieces = corners.x.length - 1;
    lines.push(
      pieces === 1
        ? "The fit is one straight line so far: no unit bends within the points."
        : `The fit is made of ${pieces.toLocaleString("en")} straight pieces${run.logX ? ` (on the logarithm of ${run.xName})` : ""}. They meet where a unit of the network bends, at the marks; zoom in to see the corners.`,
    );
  } else if (run.isPiecewiseLinear) {
    lines.push(`The fit is made of straight pieces; where they meet was ${run.inside.length ? "recorded at other moments, such as the last" : "not recorded"}.`);
  } else if (run.components) {
    lines.push("No straight pieces here: the network sees x as waves, so that its fit is smooth.");
  } else {
    lines.push(`No straight pieces here: ${activationWords(run)} has no corner.`);
  }
  const found = turns(run, m);
  if (found) {
    const distance = mean(run.fitAt(m).map((y, i) => Math.abs(y - run.trueY[i])));
    lines.push(`It lies ${shown(distance, 2)} from the true curve on average.`);
    const { outer, middle } = found;
    const times = (count) => ["never", "once", "twice"][count] ?? `${count} times`;
    if (outer.fit + middle.fit + MISSED < outer.curve + middle.curve) {
      lines.push(`In the middle half of ${run.xName} the curve turns ${times(middle.curve)} and the fit ${times(middle.fit)}; towards the ends the curve turns ${times(outer.curve)} and the fit ${times(outer.fit)}.`);
      if (m === run.last && !isLine) lines.push("A network learns slow swings first; fast ones need many short pieces close together, and it finds them late or never.");
    }
  }
  if (m < run.last) lines.push("The 90 % band is measured once training is over.");
  return lines.join(" ");
}

// When training should have been stopped.
export function lossWords(run) {
  const { best, epochs } = run;
  if (!best) return "No points were held out.";
  const last = epochs.at(-1);
  const rise = last.validation / best.validation - 1;
  const [first, late] = [epochs[0], epochs[Math.floor(LATE * epochs.length)] ?? last];
  if (epochs.length > 2 && best.validation > (1 - 2 * CHANGE) * first.validation) {
    return `The loss of points held out hardly fell after the first epoch (lowest at epoch ${best.epoch} of ${epochs.length}, ring).`;
  }
  if (rise < CHANGE && last.validation < (1 - CHANGE) * late.validation) {
    return `The loss of points held out still fell at the end (lowest at epoch ${best.epoch} of ${epochs.length}, ring): more epochs may bring it lower.`;
  }
  if (rise < CHANGE) {
    return `The loss of points held out did not rise again: training stopped in time (lowest at epoch ${best.epoch} of ${epochs.length}, ring).`;
  }
  if (last.train > (1 - CHANGE) * best.train) {
    return `The loss of points held out was lowest after epoch ${best.epoch} of ${epochs.length} (ring). That of training points has not fallen since: the network no longer learned.`;
  }
  return `The loss of points held out was lowest after epoch ${best.epoch} of ${epochs.length} (ring): training should have stopped there. It then rose by ${shown(100 * rise, 2)} %, while that of training points went on falling: the network learned their noise.`;
}

export function residualWords(run, m) {
  const size = mean(run.residuals(m).map(Math.abs));
  const noise = run.noiseMae === null ? "" : ` The noise alone makes ${shown(run.noiseMae, 3)}.`;
  return `New points lie ${shown(size, 3)} from the fit on average.${noise} Where the red line leaves zero, the fit misses something.`;
}

export function insideWords(run, m, network) {
  if (!network) return "What goes on inside this network was not recorded; its layers are drawn.";
  const first = run.networks > 1 ? `This is the first of ${run.networks} networks; the fit is their mean. ` : "";
  const bends = {
    leaky_relu: `then bends: ${run.activationName} keeps what is above zero and takes ${run.slope} of what is below`,
    relu: "then bends: ReLU keeps what is above zero and nothing below",
    sigmoid: "then squeezes the sum into 0 … 1: sigmoid",
    tanh: "then squeezes the sum into −1 … 1: tanh",
    identity: "and passes the sum on as it is: there is no activation",
  };
  return `${first}Each cell is a hidden unit, its line the output over ${run.xName}, each on a scale of its own. A unit weighs and adds up what comes from the left, ${bends[run.activation]}. Lines are weights, blue above zero, orange below.${mixWords(run, m)}`;
}

function mixWords(run, m) {
  if (!run.components) return "";
  const layers = Math.round(100 * run.gate[m]);
  return ` y is ${100 - layers} % of what the skip connection gives and ${layers} % of what the layers give: held-out points chose the mix.`;
}

export function bareWords(run) {
  const name = run.activation === "leaky_relu" ? "LeakyReLU" : run.activationName;
  return `Take ${name} away`;
}

export function experimentWords(run, state, inside) {
  const lines = [];
  if (state.unit || !inside.network) return "";
  if (state.bare) {
    lines.push(
      run.components
        ? "Dashed: the same weights without the activation. Only weighted waves are left: what the activation adds to the skip connection is the difference."
        : "Dashed: the same weights without the activation. Whatever the number of layers, a straight line is left: every bend of the fit is the activation's.",
    );
  }
  if (state.terms !== null) {
    const { terms } = inside.sum;
    const newest = terms[state.terms - 1];
    const name = !newest ? "the mean alone" : newest.unit < 0 ? "the skip connection" : `unit ${newest.unit + 1} of the last hidden layer`;
    const all = state.terms >= terms.length ? " That is all: the sum is the network's fit." : "";
    lines.push(`Blue: ${newest ? "the sum so far, last added " : ""}${name}.${all}`);
  }
  return lines.join(" ");
}

export function gradientWords(run) {
  const layers = run.hiddenLayers.length + 1;
  const at = (layer) => mean(run.step.slice(1).map((_, i) => Math.log(run.gradient[(i + 1) * layers + layer])).filter(Number.isFinite));
  if (layers < 2) return "";
  const ratio = Math.exp(at(layers - 1) - at(0));
  if (ratio > 30) return `The pull on the first layer is ${shown(ratio, 2)} times weaker than on the last: on its way back the gradient vanishes, so the first layer hardly learns.`;
  return `The gradient of each layer's weights, in size. The pull on the first layer is ${ratio >= 1 ? `${shown(ratio, 2)} times weaker` : `${shown(1 / ratio, 2)} times stronger`} than on the last: it reaches all of them.`;
}
