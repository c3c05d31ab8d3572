// The buttons over the map, light and dark, and what is said to the reader.
import { writeLink } from "./link.js";

const byId = (id) => document.getElementById(id);
const small = matchMedia("(max-width: 720px)");
const darkSystem = matchMedia("(prefers-color-scheme: dark)");

export const isSmall = () => small.matches;

export function connectTools(app) {
  const { camera } = app;
  byId("zoom-in").addEventListener("click", () => camera.glideZoom(null, 1.6));
  byId("zoom-out").addEventListener("click", () => camera.glideZoom(null, 1 / 1.6));
  byId("fit").addEventListener("click", () => camera.fit());
  byId("lasso").addEventListener("click", () => app.armLasso(!app.lassoArmed));
  byId("copy-link").addEventListener("click", () => copyLink(app));
  byId("theme").addEventListener("click", () => setTheme(!app.scene.dark, () => app.themed()));
  byId("panel-toggle").addEventListener("click", () => showPanel(app, document.body.classList.contains("panel-closed")));
  showPanel(app, !small.matches);
}

// Light or dark as the system is, and again when that changes.
export function followTheme(changed) {
  setTheme(darkSystem.matches);
  darkSystem.addEventListener("change", () => setTheme(darkSystem.matches, changed));
}

function setTheme(dark, changed = () => {}) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  changed();
}

export function showPanel(app, open) {
  document.body.classList.toggle("panel-closed", !open);
  byId("panel-toggle").setAttribute("aria-expanded", open);
  app.measure();
}

// To screen readers; `aloud` shows it to everybody for a moment.
export function say(text, aloud = false) {
  const said = byId("spoken");
  said.textContent = text;
  if (!aloud) return;
  said.classList.add("toast");
  setTimeout(() => said.classList.remove("toast"), 2500);
}

async function copyLink(app) {
  writeLink(app);
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link to this view is copied.", true);
  } catch {
    say("The address bar holds the link to this view.", true);
  }
}
