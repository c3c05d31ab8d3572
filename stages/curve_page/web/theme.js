// Light and dark, and the style sheet's colours for the canvases.

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const NAMES = ["ground", "raised", "ink", "soft", "line", "accent", "fit", "data", "training", "validation", "band"];

export class Theme {
  constructor() {
    this.listeners = [];
    this.set(darkSystem.matches);
    darkSystem.addEventListener("change", () => this.set(darkSystem.matches));
  }

  set(dark) {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    const style = getComputedStyle(document.documentElement);
    for (const name of NAMES) this[name] = style.getPropertyValue(`--${name}`).trim();
    this.dark = dark;
    for (const listener of this.listeners) listener();
  }

  onChange(listener) {
    this.listeners.push(listener);
  }
}
