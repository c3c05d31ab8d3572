// Finding points by index or class.
import { count } from "./elements.js";

export class Search {
  constructor(scene, app) {
    Object.assign(this, { scene, app });
    this.input = document.getElementById("search");
    this.said = document.getElementById("search-said");
    this.input.addEventListener("input", () => this.look());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && this.found.length) app.goTo(this.found[this.next++ % this.found.length]);
    });
    this.found = [];
  }

  // `12` or `#12` is a point of the map, `new 12` a new image; anything else a part of the name of a class or new image.
  look() {
    const { scene } = this;
    const { data } = scene;
    const text = this.input.value.trim().toLowerCase();
    const index = /^(new)?\s*#?\s*(\d+)$/.exec(text);
    let matched = null;
    this.found = [];
    this.next = 0;
    if (index) {
      const i = Number(index[2]) + (index[1] ? scene.mapped : 0);
      if (i < (index[1] ? data.stored : scene.mapped)) this.found = [i];
      this.said.textContent = this.found.length ? `${scene.classOf(i)} – Enter goes there` : "no point has this index";
    } else if (text) {
      const having = (names) => [...names].flatMap(([key, name]) => (name.toLowerCase().includes(text) ? [key] : []));
      const [classes, named] = [new Set(having(data.classNames.entries())), new Set(having(data.names))];
      matched = (i) => classes.has(data.labels[i]) || named.has(i);
      for (let i = 0; i < data.total; i++) if (matched(i) && scene.isShown(i)) this.found.push(i);
      const meant = [...classes].map((c) => data.classNames[c]).join(", ") || "in their names";
      const found = classes.size || named.size;
      this.said.textContent = found ? `${meant}: ${count(this.found.length, "point")}` : "no class has this in its name";
      if (!found) matched = null;
    } else this.said.textContent = "";
    this.app.change({ matched });
  }

  clear() {
    this.input.value = "";
    this.look();
  }
}
