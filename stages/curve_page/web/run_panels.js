// One run from top to bottom: its panels, and what they say.
import { element } from "../../page/web/dom_elements.js";
import { Inside } from "./inside/inside.js";
import { NetworkView } from "./inside/network_view.js";
import { UnitCard } from "./inside/unit_card.js";
import { FitPlot } from "./plots/fit_plot.js";
import { GradientPlot } from "./plots/gradient_plot.js";
import { LossPlot } from "./plots/loss_plot.js";
import { ResidualPlot } from "./plots/residual_plot.js";
import { bareWords, differences, experimentWords, fitWords, gradientWords, insideWords, lossWords, residualWords, settingsWords } from "./explanations.js";

export class RunPanels {
  // `slot` is the place among the shown runs.
  constructor(host, state, theme, slot) {
    Object.assign(this, { state, slot });
    host.append(document.getElementById("column").content.cloneNode(true));
    this.host = host.lastElementChild;
    this.part = (name) => this.host.querySelector(`[data-part="${name}"]`);
    const plot = (name) => this.host.querySelector(`[data-plot="${name}"]`);
    this.inside = new Inside(state);
    this.fit = new FitPlot(plot("fit"), state, theme, this.inside);
    this.loss = new LossPlot(plot("loss"), state, theme);
    this.residuals = new ResidualPlot(plot("residuals"), state, theme);
    this.network = new NetworkView(plot("network"), state, theme, this.inside);
    this.gradient = new GradientPlot(plot("gradient"), state, theme);
    this.card = new UnitCard(this.part, { output: plot("output"), adds: plot("adds") }, theme, this.inside);
    this.network.said = () => `${this.part("unit-name").textContent}. ${this.part("unit-said").textContent}`;
    this.listen();
  }

  listen() {
    const { state, part, fit } = this;
    part("zoom-in").addEventListener("click", () => fit.zoom(2));
    part("zoom-out").addEventListener("click", () => fit.zoom(0.5));
    part("whole").addEventListener("click", () => state.change({ view: null }));
    part("close").addEventListener("click", () => state.show(state.shown.filter((_, slot) => slot !== this.slot)));
    part("runs").addEventListener("change", () => {
      const chosen = Number(part("runs").value);
      state.show(state.shown.map((index, slot) => (slot === this.slot ? chosen : index)));
    });
    part("bare").addEventListener("change", () => state.change({ bare: part("bare").checked, terms: null, unit: null }));
    part("summing").addEventListener("change", () => state.change({ terms: part("summing").checked ? 1 : null, bare: false, unit: null }));
    part("terms").addEventListener("input", () => state.change({ terms: Number(part("terms").value), bare: false, unit: null }));
    state.onChange(["step", "view", "reading", "unit", "terms", "bare"], () => this.update());
  }

  get run() {
    return this.state.runs[this.state.shown[this.slot]];
  }

  show() {
    const { state, part, run } = this;
    if (!run) return;
    const several = state.runs.length > 1;
    part("name").textContent = run.name;
    part("name").hidden = several;
    part("runs").hidden = !several;
    part("runs").replaceChildren(...state.runs.map(({ name }, index) => element("option", { value: index }, name)));
    part("runs").value = state.shown[this.slot];
    part("close").hidden = state.shown.length < 2;
    this.host.querySelector("header").hidden = !several && !run.name;
    for (const panel of [this.inside, this.fit, this.loss, this.residuals, this.network, this.gradient]) panel.show(run);
    const layers = run.hiddenLayers.length + 1;
    part("gradient-legend").replaceChildren(
      ...Array.from({ length: layers }, (_, i) => {
        const name = i === layers - 1 ? "output layer" : `hidden layer ${i + 1}`;
        return element("span", { class: "line", "data-layer": i }, name);
      }),
    );
    part("floor-key").hidden = run.floor === null;
    part("bare-name").textContent = bareWords(run);
    part("bare").closest("label").hidden = run.activation === "identity" || !this.inside.network;
    part("terms").parentElement.hidden = !this.inside.network || !run.hiddenLayers.length;
    part("terms").max = (run.hiddenLayers.at(-1) ?? 0) + (run.components ? 1 : 0);
    part("gradient-said").textContent = gradientWords(run);
    part("loss-said").replaceChildren(lossWords(run), " ");
    if (run.best) {
      const go = element("button", { type: "button" }, "go there");
      go.addEventListener("click", () => state.pauseAt(run.best.step));
      part("loss-said").append(go);
    }
    const other = state.shown.length > 1 ? state.runs[state.shown[1 - this.slot]] : null;
    const differing = other ? differences(run, other) : "";
    part("settings").textContent = differing || settingsWords(run);
    this.update();
  }

  update() {
    const { state, part, run, inside } = this;
    if (!run) return;
    const m = state.momentOf(run);
    for (const { plot } of [this.fit, this.loss, this.residuals, this.network, this.gradient]) plot.draw();
    part("fit-said").textContent = fitWords(run, m);
    part("residuals-said").textContent = residualWords(run, m);
    part("inside-said").textContent = insideWords(run, m, inside.network);
    part("bare").checked = state.bare;
    part("summing").checked = state.terms !== null;
    part("terms").value = state.terms ?? part("terms").max;
    const terms = Number(part("terms").max);
    part("terms-said").textContent = state.terms === null ? "" : `${Math.min(state.terms, terms)} of ${terms}`;
    part("experiment-said").textContent = experimentWords(run, state, inside);
    this.updateLegend(m);
    for (const key of part("gradient-legend").children) key.style.setProperty("--colour", this.gradient.colour(Number(key.dataset.layer)));
    this.card.update();
  }

  updateLegend(m) {
    const { run, state, inside } = this;
    const trial = !inside.network ? "" : inside.unit ? "without this unit" : state.bare ? "without activation" : state.terms !== null ? "sum so far" : "";
    const keys = [
      ["dot", "points it learns from", true],
      ["line fit", "fit", true],
      ["line truth", "true curve", run.trueY !== null],
      ["area", "90 % band", m === run.last],
      ["ring", "where straight pieces meet", Boolean(run.corners(m)) && run.corners(m).x.length > 2],
      ["line own dashed", "this network alone, before the mean", Boolean(trial) && run.networks > 1],
      [state.bare && !inside.unit ? "line trial dashed" : "line trial", trial, Boolean(trial)],
    ];
    this.part("legend").replaceChildren(...keys.filter(([, , present]) => present).map(([kind, text]) => element("span", { class: kind }, text)));
  }
}
