// The slider over the moments of the training, the play button, and the keys of the page.
import { byId } from "../../../page/web/dom_elements.js";
import { shown } from "../plots/ticks.js";

const MOMENT = 130; // milliseconds of each

export class Timeline {
  constructor(state, columns) {
    Object.assign(this, { state, columns });
    this.slider = byId("moment");
    this.slider.addEventListener("input", () => {
      const place = Number(this.slider.value);
      state.change({ playing: false });
      state.go(place);
    });
    byId("play").addEventListener("click", () => this.toggle());
    document.addEventListener("keydown", (event) => this.key(event));
    state.onChange(["step", "shown", "runs", "playing"], () => this.update());
  }

  toggle() {
    const { state } = this;
    if (!state.playing && state.place === state.steps.length - 1) state.go(0);
    state.change({ playing: !state.playing });
    clearInterval(this.timer);
    if (state.playing) this.timer = setInterval(() => this.tick(), MOMENT);
  }

  tick() {
    const { state } = this;
    if (state.playing) state.go(state.place + 1);
    if (!state.playing || state.place === state.steps.length - 1) {
      clearInterval(this.timer);
      if (state.playing) state.change({ playing: false });
    }
  }

  key(event) {
    const { state, columns } = this;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("select, input:not([type=checkbox]):not(#moment)");
    if (typing && event.key !== "Escape") return;
    const zoom = (factor) => columns().forEach((column) => column.slot === 0 && column.fit.zoom(factor));
    const acts = {
      " ": () => this.toggle(),
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      Home: () => this.step(-Infinity),
      End: () => this.step(Infinity),
      "+": () => zoom(2),
      "=": () => zoom(2),
      "-": () => zoom(0.5),
      0: () => state.change({ view: null }),
      Escape: () => state.change({ unit: null, terms: null, bare: false }),
    };
    const act = acts[event.key];
    if (!act || (event.key === " " && event.target.matches("button, summary, input"))) return;
    if (event.target.id === "moment" && event.key.startsWith("Arrow")) return; // the slider's own
    event.preventDefault();
    act();
  }

  step(by) {
    const { state } = this;
    state.change({ playing: false });
    state.go(state.place + by);
  }

  update() {
    const { state, slider } = this;
    const { steps } = state;
    slider.max = steps.length - 1;
    slider.value = state.place;
    document.body.classList.toggle("playing", state.playing);
    byId("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
    const [run] = state.shownRuns;
    const step = steps[state.place];
    const last = Math.max(...state.shownRuns.map((each) => each.step[each.last]));
    const text = `step ${step.toLocaleString("en")} of ${last.toLocaleString("en")} · epoch ${shown(Math.min(step, run.step[run.last]) / run.epochSteps, 2)} of ${run.epochs.length}`;
    byId("when").textContent = step === 0 ? "before training" : text;
    slider.setAttribute("aria-valuetext", byId("when").textContent);
  }
}
