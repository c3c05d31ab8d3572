// New points minus the fit, with the mean in intervals of x.
import { Plot, extent, withoutFar } from "./plot.js";
import { linearTicks, ticksOf } from "./ticks.js";

const INTERVALS = 40;

export class ResidualPlot {
  constructor(host, state, theme) {
    Object.assign(this, { host, state });
    this.plot = new Plot(host, theme, { label: "New points minus the fit, over x" });
    this.plot.paint = () => this.paint();
  }

  show(run) {
    this.run = run;
    const [low, high] = extent([withoutFar(run.residuals(run.last), 1)], 0);
    this.reach = 1.4 * Math.max(-low, high);
    this.plot.draw();
  }

  paint() {
    const { plot, run, state } = this;
    const { theme } = plot;
    const whole = { x0: run.grid[0], x1: run.grid[run.places - 1] };
    const { x0, x1 } = state.view ?? whole;
    plot.range = { x0, x1, y0: -this.reach, y1: this.reach };
    plot.still(run, () => {
      plot.axes(ticksOf(run)(x0, x1, plot.width / 75), linearTicks(-this.reach, this.reach, plot.height / 45), run.xName, "");
    });
    const residuals = run.residuals(state.momentOf(run));
    const means = binned(run.testPoints.x, residuals, whole);
    plot.inside(plot.front, (context) => {
      plot.dots(context, run.testPoints.x, residuals, theme.data, 1.1, 0.75);
      plot.horizontal(context, 0, theme.soft);
      plot.curve(context, means.x, means.y, theme.fit, 1.8);
    });
  }
}

// The mean of y in equal intervals of x, those without points left out.
export function binned(x, y, { x0, x1 }, intervals = Math.min(INTERVALS, Math.max(1, Math.floor(x.length / 10)))) {
  const sums = new Float64Array(intervals);
  const counts = new Float64Array(intervals);
  for (let i = 0; i < x.length; i++) {
    const k = Math.max(0, Math.min(intervals - 1, Math.floor(((x[i] - x0) / (x1 - x0)) * intervals)));
    sums[k] += y[i];
    counts[k]++;
  }
  const filled = [...counts.keys()].filter((k) => counts[k]);
  return { x: filled.map((k) => x0 + ((k + 0.5) / intervals) * (x1 - x0)), y: filled.map((k) => sums[k] / counts[k]) };
}
