// Names on the map, as long as it is far: of its groups, or on a map without groups of the largest categories.
import { byId, element, spriteCanvas } from "../dom_elements.js";
import { categoryPlaces } from "./category_label_places.js";
import { categoryColours, cssColour } from "./point_colours.js";

const LONGEST = 28; // characters
const APART = 90; // CSS pixels between two labels with the same name

export class MapLabels {
  constructor(map) {
    Object.assign(this, { map, state: map.state, data: map.data, places: [] });
    this.made = new Map(); // labels by group and content, so that each is measured once
    this.layer = byId("map-labels");
    const keys = ["colourBy", "columns", "filters", "newShown", "labels", "namesShown", "matched", "selected"];
    this.state.onChange(keys, () => this.find());
    map.theme.onChange(() => this.find());
    map.onDraw(() => this.place());
    this.find();
  }

  // Choose the labels and where they stand on the map.
  find() {
    const { state, data, map } = this;
    const wanted = state.namesShown && !map.paled && data.dimensions === 2;
    const places = !wanted ? [] : data.groups.length ? this.groups() : this.categories();
    this.layer.hidden = false; // or nothing could be measured
    for (const { label } of this.places) label.hidden = true;
    this.places = places.map(({ group, shows, colour, at }) => {
      const made = this.labelOf(group, shows);
      made.label.style.setProperty("--class", cssColour(colour));
      return { ...made, at, name: typeof shows === "string" && shows };
    });
    this.place();
  }

  // { group, shows, colour, at } of each group. One without a name is shown by the image, or else the name, of its medoid.
  groups() {
    const { data, map } = this;
    const { seen } = map.layout;
    return map.groupLabels.filter(({ text }) => text !== "").map(({ group, text, colour }) => {
      const { medoid } = data.groups[group];
      const shows = text ?? (data.images ? medoid : data.nameOf(medoid));
      return { group, shows, colour, at: [seen[3 * medoid], seen[3 * medoid + 1]] };
    });
  }

  categories() {
    const { state, data, map } = this;
    const column = data.column(state.colourBy);
    if (!column?.isCategory) return [];
    const colours = categoryColours(column, map.behind);
    const shown = ({ code, at }) => ({ group: -1, shows: column.categories[code - 1], colour: colours[code], at });
    return categoryPlaces(map, column).map(shown);
  }

  // The label that shows a text, or the image of a point.
  labelOf(group, shows) {
    const key = `${group} ${typeof shows} ${shows}`;
    if (!this.made.has(key)) {
      const label = typeof shows === "string"
        ? element("span", {}, shows.length > LONGEST ? `${shows.slice(0, LONGEST - 1)}…` : shows)
        : element("span", { class: "picture" }, spriteCanvas(this.data.images, shows));
      this.layer.append(label);
      this.made.set(key, { label, width: label.offsetWidth, height: label.offsetHeight });
    }
    return this.made.get(key);
  }

  // Put the labels on the screen; one that would overlap an earlier one, or repeat it nearby, is left out.
  place() {
    const { viewport } = this.map;
    const opacity = viewport.farness();
    this.layer.hidden = !opacity || !this.places.length;
    if (this.layer.hidden) return;
    this.layer.style.opacity = opacity;
    const taken = [];
    for (const { label, name, at, width, height } of this.places) {
      const [x, y] = viewport.toScreen(...at);
      const seen = x > 0 && x < viewport.width && y > 0 && y < viewport.height;
      const left = Math.max(0, Math.min(viewport.width - width, x - width / 2));
      const box = { name, left, top: y - height / 2, right: left + width, bottom: y + height / 2 };
      const free = seen && !taken.some((other) => overlap(box, other, name && name === other.name ? APART : 0));
      label.hidden = !free;
      if (!free) continue;
      taken.push(box);
      label.style.transform = `translate(${Math.round(left)}px, ${Math.round(box.top)}px)`;
    }
  }
}

const overlap = (a, b, margin) =>
  a.left < b.right + margin && b.left < a.right + margin && a.top < b.bottom + margin && b.top < a.bottom + margin;
