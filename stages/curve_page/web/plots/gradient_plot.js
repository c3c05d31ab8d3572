// The norm of each layer's gradient over the steps, on logarithmic axes.
import { stepName, stepPlace, stepTicks } from "./loss_plot.js";
import { Plot, extent } from "./plot.js";
import { logTicks } from "./ticks.js";

export class GradientPlot {
  constructor(host, state, theme) {
    Object.assign(this, { host, state });
    this.plot = new Plot(host, theme, { label: "Norms of the layers' gradients over the steps of training" });
    this.plot.paint = () => this.paint();
  }

  show(run) {
    this.run = run;
    const layers = run.hiddenLayers.length + 1;
    this.rows = Array.from({ length: layers }, (_, layer) => [...run.step].map((_, m) => Math.log(run.gradient[m * layers + layer])));
    this.y = extent(this.rows);
    this.plot.draw();
  }

  // The colour of a layer's line: the first is the boldest.
  colour(layer) {
    const { theme } = this.plot;
    const share = layer / Math.max(this.rows.length - 1, 1);
    return `color-mix(in oklab, ${theme.accent} ${Math.round(100 - 78 * share)}%, ${theme.validation})`;
  }

  paint() {
    const { plot, run, state } = this;
    plot.range = { x0: 0, x1: stepPlace(run.step[run.last]), y0: this.y[0], y1: this.y[1] };
    plot.still(run, () => plot.axes(stepTicks(run, plot.width), logTicks(...this.y, plot.height / 45), stepName(run), ""));
    plot.inside(plot.front, (context) => {
      const x = [...run.step].map(stepPlace);
      this.rows.forEach((y, layer) => plot.curve(context, x, y, this.colour(layer), layer === 0 ? 2.2 : 1.4));
      plot.vertical(context, stepPlace(run.step[state.momentOf(run)]), plot.theme.ink);
    });
  }
}
