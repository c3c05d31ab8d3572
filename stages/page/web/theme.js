// Light and dark, and the style sheet's colours for what is drawn on a canvas.

const darkSystem = matchMedia("(prefers-color-scheme: dark)");

// Each colour in `names` is a property, `read` from its text in the style sheet.
export class Theme {
  constructor(names, read = (text) => text) {
    Object.assign(this, { names, read, listeners: [] });
    this.set(darkSystem.matches);
    darkSystem.addEventListener("change", () => this.set(darkSystem.matches));
  }

  set(dark) {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    const style = getComputedStyle(document.documentElement);
    for (const name of this.names) this[name] = this.read(style.getPropertyValue(`--${name}`).trim());
    this.dark = dark;
    for (const listener of this.listeners) listener();
  }

  onChange(listener) {
    this.listeners.push(listener);
  }
}
