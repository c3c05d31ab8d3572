// The unit that the reader looks at: its output over x, and what it adds to the fit.
import { mean, spread } from "../data/network.js";
import { Plot, extent } from "../plots/plot.js";
import { linearTicks, shown, ticksOf, xText } from "../plots/ticks.js";

const EMPTY =
  "Point at a cell, or tap it: here stand its output and what it adds to the fit. The darker its line, the more it acts on the next layer.";
const LISTED = 6; // bends named in words

export class UnitCard {
  constructor(part, plots, theme, inside) {
    Object.assign(this, { part, inside });
    this.plots = [new Plot(plots.output, theme), new Plot(plots.adds, theme)];
    this.plots[0].paint = (plot) => this.paint(plot, "output", "its output", theme.ink);
    this.plots[1].paint = (plot) => this.paint(plot, "adds", `adds to ${inside.run.yName}`, theme.accent);
  }

  update() {
    const { inside, part, plots } = this;
    const { unit, run } = inside;
    part("unit").hidden = !inside.network || !run.hiddenLayers.length;
    part("unit").classList.toggle("empty", !unit);
    part("unit-name").textContent = unit ? `Unit ${unit.unit + 1} of hidden layer ${unit.layer + 1}` : "A unit";
    part("unit-said").textContent = unit ? this.words() : EMPTY;
    for (const plot of plots) plot.draw();
  }

  words() {
    const { inside } = this;
    const { run, unit, unitValues } = inside;
    const { output, adds, bends } = unitValues;
    const most = Math.max(...adds.map(Math.abs));
    const isSharp = ["leaky_relu", "relu"].includes(run.activation);
    const where = bends.slice(0, LISTED).map((place) => xText(run, place)).join(", ") + (bends.length > LISTED ? ", …" : "");
    const lines = [];
    if (spread(output) < 1e-9 * Math.max(1, Math.abs(mean(output)))) {
      lines.push("It gives out the same number everywhere: a dead unit, which adds a constant alone.");
    } else {
      if (isSharp && bends.length) lines.push(`Its inputs cross zero at ${run.xName} = ${where}: there it bends.`);
      if (isSharp && !bends.length) lines.push(`Its inputs are ${inside.whole.before[unit.layer][unit.unit][0] > 0 ? "above" : "below"} zero at every ${run.xName}: it does not bend.`);
      const what = run.networks > 1 ? "this network's curve (thin dashes)" : "the fit";
      lines.push(`Without it (blue) ${what} would differ by up to ${shown(most, 3)}.`);
    }
    return lines.join(" ");
  }

  paint(plot, key, name, colour) {
    const { inside } = this;
    const { run, unitValues } = inside;
    if (!unitValues) return;
    const y = unitValues[key];
    const [y0, y1] = extent([y, [0]]);
    plot.range = { x0: run.grid[0], x1: run.grid[run.places - 1], y0, y1 };
    plot.still(unitValues, () => {
      plot.axes(ticksOf(run)(plot.range.x0, plot.range.x1, plot.width / 60), linearTicks(y0, y1, plot.height / 40), run.xName, name);
    });
    plot.inside(plot.front, (context) => {
      plot.horizontal(context, 0, plot.theme.line);
      plot.curve(context, run.grid, y, colour, 1.8);
    });
    plot.front.setAttribute("aria-label", `${name} over ${run.xName}`);
  }
}
