// Training and validation loss over the steps, with the noise floor, the moment shown, and where training could stop.
import { Plot, extent } from "./plot.js";
import { linearTicks, logTicks, shown } from "./ticks.js";

const LOG_ABOVE = 4; // the loss has a logarithmic axis when it falls by more than this factor

// Steps on a logarithmic axis, as the early ones change most.
export const stepPlace = (step) => Math.log1p(step);

export function stepTicks(run, width) {
  const last = run.step[run.last];
  const ticks = [{ at: 0, text: "0" }];
  for (let step = 1; step <= last; step *= 10) {
    for (const factor of width > 300 ? [1, 3] : [1]) {
      if (factor * step <= last) ticks.push({ at: stepPlace(factor * step), text: (factor * step).toLocaleString("en") });
    }
  }
  return ticks;
}

export const stepName = (run) => {
  const each = Math.round(run.epochSteps);
  return `steps of training, log scale (${each.toLocaleString("en")} in an epoch)`;
};

export class LossPlot {
  constructor(host, state, theme) {
    Object.assign(this, { host, state });
    this.plot = new Plot(host, theme, { label: "Loss over the steps of training" });
    this.plot.paint = () => this.paint();
    host.addEventListener("click", (event) => {
      const at = this.plot.placeAt(event.clientX - host.getBoundingClientRect().left);
      state.pauseAt(null, (step) => Math.abs(stepPlace(step) - at));
    });
  }

  show(run) {
    this.run = run;
    const train = [...run.train_loss];
    const validation = run.epochs.map((epoch) => epoch.validation);
    const levels = [train, validation, run.floor === null ? [] : [run.floor]];
    const positive = levels.flat().filter(Number.isFinite);
    this.isLog = Math.min(...positive) > 0 && Math.max(...positive) > LOG_ABOVE * Math.min(...positive);
    this.toPlace = this.isLog ? Math.log : (loss) => loss;
    this.y = extent(levels.map((values) => values.map(this.toPlace)));
    this.plot.draw();
  }

  paint() {
    const { plot, run, state } = this;
    const { theme } = plot;
    const m = state.momentOf(run);
    const step = run.step[m];
    plot.range = { x0: 0, x1: stepPlace(run.step[run.last]), y0: this.y[0], y1: this.y[1] };
    const ticks = (this.isLog ? logTicks : linearTicks)(...this.y, plot.height / 45);
    plot.still(run, () => plot.axes(stepTicks(run, plot.width), ticks, stepName(run), ""));
    const { epochs, best } = run;
    const until = epochs.filter((epoch) => epoch.step <= step + 0.5);
    plot.inside(plot.front, (context) => {
      if (run.floor !== null) plot.horizontal(context, this.toPlace(run.floor), theme.soft, [5, 4]);
      const train = [[...run.step].map(stepPlace), [...run.train_loss].map(this.toPlace)];
      const validation = (rows) => [rows.map((row) => stepPlace(row.step)), rows.map((row) => this.toPlace(row.validation))];
      context.globalAlpha = 0.25;
      plot.curve(context, ...train, theme.training, 1.6);
      plot.curve(context, ...validation(epochs), theme.validation, 1.6);
      context.globalAlpha = 1;
      plot.curve(context, train[0].slice(0, m + 1), train[1].slice(0, m + 1), theme.training, 1.8);
      plot.curve(context, ...validation(until), theme.validation, 1.8);
      plot.vertical(context, stepPlace(step), theme.ink);
      if (best) plot.rings(context, [stepPlace(best.step)], [this.toPlace(best.validation)], 4.5, theme.raised, theme.validation);
    });
    const validation = until.at(-1)?.validation;
    plot.front.setAttribute("aria-label", `Loss at step ${step}: training ${shown(run.train_loss[m])}, held out ${shown(validation ?? NaN)}`);
  }
}
