// The card of one point: its image and reconstruction large, its name, class, columns and tags, its latent neighbours.
import { count } from "../data/columns.js";
import { button, copy, element, spriteCanvas } from "../dom_elements.js";

const DISTANCE = 22; // CSS pixels from the point, or from the edge of its image, to its card
const FINDINGS = {
  label: "Suspect label", duplicate: "Duplicate", leak: "In training and test", outlier: "Outlier", thin: "Class",
};
const COPIES = ["duplicate", "leak"];
const SHORT = 24; // characters of a value beside its column's name
const FOLDED = 90; // characters from which a text is folded

export class PointCard {
  constructor(card, state, map, labels, navigator) {
    Object.assign(this, { card, state, map, labels, navigator, data: state.data, shown: -1 });
    this.part = (name) => card.querySelector(`[data-part="${name}"]`);
    this.part("close").addEventListener("click", () => navigator.pin(-1));
    this.part("copy").addEventListener("click", () => copy(this.data.nameOf(this.shown), "The name is copied."));
    this.part("tag").addEventListener("click", () => navigator.label(this.shown));
    this.part("previous").addEventListener("click", () => navigator.step(-1));
    this.part("next").addEventListener("click", () => navigator.step(1));
    map.onDraw(() => this.update());
    state.onChange(["labels", "steps", "columns"], () => this.refresh());
    map.theme.onChange(() => this.refresh());
  }

  // Show the hovered point, else the pinned one, else nothing; beside the point if that is on the screen.
  update() {
    const { hovered, pinned } = this.state;
    const i = hovered >= 0 ? hovered : pinned;
    this.card.hidden = i < 0;
    if (i < 0) {
      this.shown = -1;
      return;
    }
    if (i !== this.shown) this.fill(i);
    this.card.classList.toggle("pinned", i === pinned);
    for (const name of ["close", "copy", "tag"]) this.part(name).hidden = i !== pinned;
    this.fillSteps(i === pinned);
    this.place(i);
  }

  // Write the card anew at the next drawing.
  refresh() {
    this.shown = -1;
    this.map.redraw();
  }

  fill(i) {
    this.shown = i;
    const { data } = this;
    const hasClass = data.classes.has(i);
    this.card.style.setProperty("--class", this.map.classColour(i));
    this.part("class-row").hidden = !hasClass && (data.layerOf(i) !== "map" || !data.classNames.length);
    this.part("class").textContent = data.classOf(i);
    const file = data.fileOf(i);
    const name = data.nameOf(i);
    this.part("name").replaceChildren(
      file ? element("a", { href: file, target: "_blank", rel: "noopener", title: "Open the file" }, name) : name,
    );
    const notes = this.findings(i);
    if (data.warnings.has(i)) notes.push(`Off the map: ${data.warnings.get(i)}.`);
    if (data.layerOf(i) === "added") notes.push("Placed by this page: approximate.");
    this.part("notes").replaceChildren(...notes.map((note) => element("p", {}, ...[note].flat())));
    this.fillPictures(i);
    this.part("tags").replaceChildren(...this.labels.tagsOf(i).map((tag) => element("span", { class: "tag" }, tag)));
    const columns = data.columns.filter((column) => column !== data.classes && column.key !== "tags" && column.has(i));
    this.part("columns").replaceChildren(
      ...columns.flatMap((column) => {
        const long = !column.isNumeric && column.text(i).length > SHORT ? { class: "long" } : {};
        return [element("dt", {}, column.title), element("dd", long, valueElement(column, i))];
      }),
    );
    this.fillNeighbours(i);
  }

  // What the review says about point i, and what can be done about it.
  findings(i) {
    const { data, labels, navigator } = this;
    return data.findingsOf(i).map(({ kind, why, other, suggestion }) => {
      const parts = [`${FINDINGS[kind] ?? kind}: ${why}. `];
      if (suggestion && suggestion !== data.classes.text(i)) {
        parts.push(button(`Set class to ${suggestion}`, () => labels.setLabel([i], suggestion)));
      }
      if (other >= 0) parts.push(button(`See ${data.nameOf(other)}`, () => navigator.goTo(other)));
      return parts;
    });
  }

  fillPictures(i) {
    const { data } = this;
    const twin = data.images && data.findingsOf(i).find(({ kind, other }) => COPIES.includes(kind) && other >= 0);
    const own = twin ? "this image" : data.reconstructions?.has(i) ? "original" : "";
    const pictures = [["images", own], ["reconstructions", "reconstruction"]];
    const figure = (name, j, label) => {
      const canvas = spriteCanvas(data[name], j, () => this.shown === i);
      canvas.dataset.of = name;
      return element("figure", {}, canvas, ...(label ? [element("figcaption", {}, label)] : []));
    };
    const figures = pictures.filter(([name]) => data[name]?.has(i)).map(([name, label]) => figure(name, i, label));
    if (twin) figures.splice(1, 1, figure("images", twin.other, "its copy"));
    this.part("pictures").replaceChildren(...figures);
  }

  fillNeighbours(i) {
    const { data, map, navigator } = this;
    const neighbours = data.neighboursOf(i);
    this.part("neighbourhood").hidden = !neighbours.length;
    const alike = neighbours.filter((j) => data.classes.values[j] === data.classes.values[i]).length;
    this.part("alike").textContent = data.classes.has(i)
      ? `${alike} of ${neighbours.length} share its class`
      : data.classNames.length ? data.neighbourClassesOf(i) : "";
    this.part("neighbours").classList.toggle("names", !data.images);
    this.part("neighbours").replaceChildren(
      ...neighbours.map((j) => {
        const label = data.describe(j);
        const content = data.images ? spriteCanvas(data.images, j) : data.nameOf(j);
        const made = button(content, () => navigator.goTo(j), { title: label, "aria-label": `Go to ${label}` });
        made.style.setProperty("--class", map.classColour(j));
        return made;
      }),
    );
  }

  fillSteps(pinned) {
    const { steps } = this.state;
    const at = steps.indexOf(this.shown);
    this.part("steps").hidden = !pinned || at < 0 || steps.length < 2;
    this.part("step").textContent = `${at + 1} of ${count(steps.length, "point")}`;
  }

  // Beside the point, on the side away from its neighbours' lines. On small screens the style sheet puts it above or
  // below, where the point is not.
  place(i) {
    const { map, card } = this;
    const { viewport } = map;
    const [left, top] = map.screenOf(i);
    card.classList.toggle("below", top < viewport.height / 2);
    const distance = DISTANCE + (map.grown(i) * map.imageSize) / 2;
    const drift = this.data.neighboursOf(i).reduce((sum, j) => sum + map.screenOf(j)[0] - left, 0);
    const [width, height] = [card.offsetWidth, card.offsetHeight];
    const fits = { left: left - distance - width > 8, right: left + distance + width < viewport.width - 8 };
    const side = (drift > 0 && fits.left) || !fits.right ? "left" : "right";
    const x = side === "left" ? left - distance - width : left + distance;
    const clamp = (value, most) => Math.round(Math.max(8, Math.min(most - 8, value)));
    card.style.transform = `translate(${clamp(x, viewport.width - width)}px, ${clamp(top - height / 2, viewport.height - height)}px)`;
  }
}

// A value as text, a web address as a link; long text is folded.
function valueElement(column, i) {
  const text = column.text(i);
  if (column.type === "link" && /^https?:\/\//i.test(text)) {
    const shown = text.replace(/^https?:\/\//i, "");
    const attributes = { href: text, target: "_blank", rel: "noopener noreferrer", title: text };
    return element("a", attributes, shown.length > 40 ? `${shown.slice(0, 39)}…` : shown);
  }
  if (text.length <= FOLDED) return text;
  return element("details", {}, element("summary", {}, `${text.slice(0, FOLDED - 20)}…`), element("p", {}, text));
}
