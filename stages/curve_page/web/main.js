// Reads the runs, makes the state, and connects the views that draw it and the controls that change it.
import { byId } from "../../page/web/dom_elements.js";
import { Theme } from "../../page/web/theme.js";
import { RunPanels } from "./run_panels.js";
import { connectRuns } from "./controls/open_runs.js";
import { Timeline } from "./controls/timeline.js";
import { readRuns } from "./data/unpack.js";
import { State } from "./state.js";

const COLOURS = ["ground", "raised", "ink", "soft", "line", "accent", "fit", "data", "training", "validation", "band"];

async function start() {
  const theme = new Theme(COLOURS);
  const state = new State(await readRuns(document));
  const columns = [];
  const layOut = () => {
    const host = byId("columns");
    while (columns.length < state.shown.length) columns.push(new RunPanels(host, state, theme, columns.length));
    columns.forEach((column, slot) => (column.host.hidden = slot >= state.shown.length));
    host.className = state.shown.length > 1 ? "two" : "one";
    columns.forEach((column) => column.show());
  };
  state.onChange(["shown", "runs"], layOut);
  const timeline = new Timeline(state, () => columns);
  connectRuns(state);
  byId("theme").addEventListener("click", () => theme.set(!theme.dark));
  layOut();
  state.go(Infinity);
  Object.assign(window.fitmap, { state, theme, columns, timeline });
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  performance.mark("drawn");
}

window.fitmap = {}; // for the console and tests
window.fitmap.ready = start();
