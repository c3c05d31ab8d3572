// The network drawn from its layers: each hidden unit is a cell with its output over x; lines are its weights.
import { say } from "../../../page/web/dom_elements.js";
import { Plot, extent } from "../plots/plot.js";

const ROWS = 16; // units above each other
const CELL = { width: 34, height: 20 };
const SMALLEST = 9; // pixels of a cell
const END = 46; // width of the columns of x and y
const HEAD = 22;
const LINES = 160; // drawn between two layers: the largest weights
const NARROW = 480;

export class NetworkView {
  constructor(host, state, theme, inside) {
    Object.assign(this, { host, state, inside });
    this.plot = new Plot(host, theme);
    this.plot.paint = () => this.paint();
    host.addEventListener("pointermove", (event) => event.pointerType === "mouse" && this.look(this.unitAt(event), false));
    host.addEventListener("pointerleave", () => this.look(null, false));
    host.addEventListener("click", (event) => this.choose(this.unitAt(event)));
    host.addEventListener("keydown", (event) => this.key(event));
  }

  show(run) {
    this.run = run;
    const rows = Math.min(ROWS, Math.max(...run.hiddenLayers, 1));
    this.host.style.height = `${HEAD + rows * (CELL.height + 3) + (run.components ? 78 : 34)}px`;
    this.plot.draw();
  }

  // Look at a unit { layer, unit } while the pointer is on it; a unit that was chosen stays.
  look(found, kept) {
    const { state, run } = this;
    if (state.unit?.kept && !kept) return;
    const same = found && state.unit?.run === run && state.unit.layer === found.layer && state.unit.unit === found.unit;
    if (same && state.unit.kept === kept) return;
    if (found || state.unit) state.change({ unit: found && { run, ...found, kept } });
  }

  choose(found) {
    const { unit } = this.state;
    const again = found && unit?.kept && unit.layer === found.layer && unit.unit === found.unit;
    this.look(again ? null : found, true);
  }

  key(event) {
    const { run, state } = this;
    const now = state.unit?.run === run ? state.unit : null;
    const moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (moves && run.hiddenLayers.length) {
      event.preventDefault();
      event.stopPropagation();
      const layer = Math.max(0, Math.min(run.hiddenLayers.length - 1, (now?.layer ?? 0) + moves[0]));
      const unit = Math.max(0, Math.min(run.hiddenLayers[layer] - 1, (now?.unit ?? -moves[1]) + moves[1]));
      state.change({ unit: { run, layer, unit, kept: true } });
      say(this.said?.() ?? "");
    } else if (event.key === "Enter" && now) {
      event.preventDefault();
      state.change({ unit: { ...now, kept: !now.kept } });
    }
  }

  unitAt(event) {
    const box = this.host.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    return this.cells?.find(({ x, y, width, height }) => px >= x - 1 && px <= x + width + 1 && py >= y - 1 && py <= y + height + 2) ?? null;
  }

  // Where every unit lies: cells { layer, unit, x, y, width, height }, and the columns of x and y.
  lay() {
    const { run, plot } = this;
    const end = plot.width < NARROW ? 30 : END;
    const columns = run.hiddenLayers.map((width) => Math.ceil(width / ROWS));
    const blocks = columns.length + (run.components ? 1 : 0);
    const total = columns.reduce((a, b) => a + b, 0) + (run.components ? 1.6 : 0);
    const gap = Math.max(30, Math.min(230, (plot.width - 2 * end - total * (CELL.width + 3)) / (blocks + 1)));
    const width = Math.min(CELL.width, Math.max(SMALLEST, (plot.width - 2 * end - gap * (blocks + 1)) / Math.max(total, 1) - 3));
    const most = Math.min(ROWS, Math.max(...run.hiddenLayers, 1));
    const middle = HEAD + (most * (CELL.height + 3)) / 2 + (run.components ? 44 : 0);
    let x = end + gap;
    this.waves = null;
    if (run.components) {
      this.waves = { x, y: middle - 60, width: 1.6 * width, height: 120 };
      x += 1.6 * width + gap;
    }
    this.cells = [];
    this.heads = [];
    run.hiddenLayers.forEach((units, layer) => {
      const rows = Math.min(units, ROWS);
      const top = middle - (rows * (CELL.height + 3)) / 2;
      for (let unit = 0; unit < units; unit++) {
        const [column, row] = [Math.floor(unit / ROWS), unit % ROWS];
        this.cells.push({ layer, unit, x: x + column * (width + 3), y: top + row * (CELL.height + 3), width, height: CELL.height });
      }
      this.heads.push({ x: x + (columns[layer] * (width + 3) - 3) / 2, y: top - 8, units });
      x += columns[layer] * (width + 3) - 3 + gap;
    });
    this.input = { x: end - 12, y: middle };
    this.output = { x: Math.min(plot.width - end + 12, x), y: middle };
  }

  paint() {
    const { plot, run, inside } = this;
    this.lay();
    const context = plot.front.getContext("2d");
    const { values, unit } = { values: inside.whole, unit: inside.unit };
    context.font = "11px system-ui, sans-serif";
    this.paintLines(context, unit);
    this.paintEnds(context);
    const strengths = values ? run.hiddenLayers.map((_, layer) => inside.network.strengths(values, layer)) : null;
    for (const cell of this.cells) this.paintCell(context, cell, values, strengths, unit);
    const units = run.hiddenLayers.join(", ");
    plot.front.setAttribute("aria-label", `The network: hidden layers of ${units || "no"} units. Arrow keys go through the units.`);
  }

  paintCell(context, { layer, unit, x, y, width, height }, values, strengths, chosen) {
    const { theme } = this.plot;
    const isChosen = chosen?.layer === layer && chosen.unit === unit;
    context.fillStyle = theme.raised;
    context.strokeStyle = isChosen ? theme.accent : theme.line;
    context.lineWidth = isChosen ? 2 : 1;
    context.beginPath();
    context.roundRect(x, y, width, height, 3);
    context.fill();
    context.stroke();
    if (!values) return;
    const output = values.after[layer][unit];
    const [low, high] = extent([output], 0.12);
    const strength = strengths[layer][unit] / Math.max(...strengths[layer], 1e-12);
    const isStill = high - low > 1.9 && strengths[layer][unit] === 0; // extent widens what is constant
    context.beginPath();
    const stride = Math.max(1, Math.floor(output.length / (2 * width)));
    for (let i = 0; i < output.length; i += stride) {
      context.lineTo(x + 2 + (i / (output.length - 1)) * (width - 4), y + height - 2 - ((output[i] - low) / (high - low)) * (height - 4));
    }
    context.strokeStyle = isStill ? theme.line : theme.ink;
    context.globalAlpha = isStill ? 1 : 0.22 + 0.78 * strength;
    context.lineWidth = 1.2;
    context.stroke();
    context.globalAlpha = 1;
  }

  // The ends of the network, x and y, the waves and the skip connection.
  paintEnds(context) {
    const { plot, run, input, output, waves } = this;
    const { theme } = plot;
    context.textBaseline = "middle";
    context.textAlign = "center";
    for (const [end, name, colour] of [[input, run.xName, theme.training], [output, run.yName, theme.fit]]) {
      context.fillStyle = theme.raised;
      context.strokeStyle = colour;
      context.lineWidth = 1.8;
      context.beginPath();
      context.arc(end.x, end.y, 9, 0, 7);
      context.fill();
      context.stroke();
      context.fillStyle = theme.ink;
      context.fillText(name.length > 7 ? `${name.slice(0, 6)}…` : name, end.x, end.y + 20);
    }
    context.fillStyle = theme.soft;
    for (const { x, y, units } of this.heads) context.fillText(`${units} unit${units === 1 ? "" : "s"}`, x, y - 3);
    if (!waves) return;
    context.fillStyle = theme.raised;
    context.strokeStyle = theme.line;
    context.lineWidth = 1;
    context.beginPath();
    context.roundRect(waves.x, waves.y, waves.width, waves.height, 4);
    context.fill();
    context.stroke();
    context.strokeStyle = theme.training;
    for (const [row, count] of [1, 2, 4].entries()) {
      context.beginPath();
      for (let i = 0; i <= 40; i++) {
        context.lineTo(waves.x + 5 + (i / 40) * (waves.width - 10), waves.y + 20 + row * 32 - 8 * Math.sin((i / 40) * count * 2 * Math.PI));
      }
      context.stroke();
    }
    context.fillStyle = theme.soft;
    context.fillText(`${run.components} waves`, waves.x + waves.width / 2, waves.y - 11);
    const height = HEAD + 6;
    context.strokeStyle = theme.fit;
    context.lineWidth = 1.4;
    context.beginPath();
    context.moveTo(waves.x + waves.width / 2, waves.y - 20);
    context.bezierCurveTo(waves.x + waves.width / 2, height, waves.x + waves.width, height, waves.x + waves.width + 30, height);
    context.lineTo(output.x - 30, height);
    context.bezierCurveTo(output.x, height, output.x, height, output.x, output.y - 10);
    context.stroke();
    context.fillText("skip connection: the waves, weighted and added up", (waves.x + output.x) / 2, height - 11);
  }

  // Lines for the largest weights between neighbouring layers; of a unit that is looked at, for its own alone.
  paintLines(context, chosen) {
    const { inside, plot, run, cells, input, output, waves } = this;
    const { theme } = plot;
    const { network } = inside;
    const layerCells = run.hiddenLayers.map((_, layer) => cells.filter((cell) => cell.layer === layer));
    const right = (cell) => [cell.x + cell.width, cell.y + cell.height / 2];
    const left = (cell) => [cell.x, cell.y + cell.height / 2];
    const draw = ([ax, ay], [bx, by], colour, alpha, width) => {
      context.strokeStyle = colour;
      context.globalAlpha = alpha;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(ax, ay);
      context.bezierCurveTo((ax + bx) / 2, ay, (ax + bx) / 2, by, bx, by);
      context.stroke();
      context.globalAlpha = 1;
    };
    if (waves) draw([input.x + 9, input.y], [waves.x, waves.y + waves.height / 2], theme.soft, 0.6, 1.2);
    network?.layers.forEach((layer, i) => {
      const from = i === 0 ? (waves ? [[waves.x + waves.width, waves.y + waves.height / 2]] : [[input.x + 9, input.y]]) : layerCells[i - 1].map(right);
      const to = i === network.layers.length - 1 ? [[output.x - 9, output.y]] : layerCells[i].map(left);
      const found = [];
      for (let a = 0; a < from.length; a++) {
        for (let b = 0; b < layer.outputs; b++) {
          const isOwn = chosen && ((chosen.layer === i && chosen.unit === b) || (chosen.layer === i - 1 && chosen.unit === a));
          if (chosen && !isOwn) continue;
          const weight = i === 0 && waves ? waveWeight(layer, b) : layer.weights[a * layer.outputs + b];
          found.push({ a, b, weight });
        }
      }
      found.sort((p, q) => Math.abs(q.weight) - Math.abs(p.weight));
      const most = Math.abs(found[0]?.weight ?? 0) || 1;
      for (const { a, b, weight } of found.slice(0, LINES)) {
        const share = Math.abs(weight) / most;
        draw(from[a], to[b], weight < 0 ? theme.validation : theme.training, chosen ? 0.2 + 0.7 * share : 0.06 + 0.4 * share, 0.5 + 2 * share);
      }
    });
  }
}

// The size of all weights from the waves to a unit.
function waveWeight({ inputs, outputs, weights }, unit) {
  let sum = 0;
  for (let i = 0; i < inputs; i++) sum += weights[i * outputs + unit] ** 2;
  return Math.sqrt(sum);
}
