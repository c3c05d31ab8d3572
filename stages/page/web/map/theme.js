// Light and dark, and the style sheet's colours as numbers.
import { parseColour } from "./point_colours.js";

const darkSystem = matchMedia("(prefers-color-scheme: dark)");

export class Theme {
  constructor() {
    this.listeners = [];
    this.set(darkSystem.matches);
    darkSystem.addEventListener("change", () => this.set(darkSystem.matches));
  }

  set(dark) {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    const style = getComputedStyle(document.documentElement);
    for (const name of ["ground", "ink", "warning"]) this[name] = parseColour(style.getPropertyValue(`--${name}`).trim());
    this.dark = dark;
    for (const listener of this.listeners) listener();
  }

  onChange(listener) {
    this.listeners.push(listener);
  }
}
