// The card of one point: its image and reconstruction large, its class and figures, its nearest latent neighbours.
import { element, spriteCanvas } from "./elements.js";
import { cssColour, MEASURES } from "./colours.js";

const DISTANCE = 22; // CSS pixels from the point, or from the edge of its image, to its card

export class Card {
  constructor(card, scene, app) {
    Object.assign(this, { card, scene, app, shown: -1 });
    this.part = (name) => card.querySelector(`[data-part="${name}"]`);
    this.part("close").addEventListener("click", () => app.pin(-1));
  }

  // Show the hovered point, else the pinned one, else nothing; beside the point, where that is on the screen.
  update() {
    const { hovered, pinned } = this.scene.state;
    const i = hovered >= 0 ? hovered : pinned;
    this.card.hidden = i < 0;
    if (i < 0) {
      this.shown = -1;
      return;
    }
    if (i !== this.shown) this.fill(i);
    this.card.classList.toggle("pinned", i === pinned);
    this.part("close").hidden = i !== pinned;
    this.place(i);
  }

  // What is written on the card follows the colours, too, so a change of style fills it anew.
  refresh() {
    this.shown = -1;
  }

  fill(i) {
    this.shown = i;
    const { scene } = this;
    const { data } = scene;
    this.card.style.setProperty("--class", cssColour(scene.classColours[data.labels[i]] ?? scene.ink));
    const unlabelled = i >= scene.mapped && data.labels[i] < 0;
    this.card.querySelector(".swatch").hidden = unlabelled;
    this.part("class").textContent = unlabelled ? "" : scene.classOf(i);
    this.part("index").textContent = scene.nameOf(i);
    const notes = [];
    if (data.warnings.has(i)) notes.push(`Off the map: ${data.warnings.get(i)}.`);
    if (scene.layerOf(i) === "added") notes.push("Placed by this page: approximate.");
    this.part("notes").replaceChildren(...notes.map((note) => element("p", {}, note)));
    const pictures = this.part("pictures");
    pictures.replaceChildren();
    for (const [name, label] of [["images", i < scene.mapped ? "image" : "new image"], ["reconstructions", "reconstruction"]]) {
      if (!data[name]?.has(i)) continue;
      const canvas = spriteCanvas(data[name], i, () => this.shown === i);
      canvas.dataset.of = name;
      pictures.append(element("figure", {}, canvas, element("figcaption", {}, label)));
    }
    this.part("figures").replaceChildren(
      ...Object.values(MEASURES).flatMap(({ array, label, digits }) => {
        const value = data[array]?.[i];
        return Number.isFinite(value) ? [element("dt", {}, label), element("dd", {}, value.toFixed(digits))] : [];
      }),
    );
    this.fillNeighbours(i);
  }

  fillNeighbours(i) {
    const { scene, app } = this;
    const { data } = scene;
    const neighbours = scene.neighboursOf(i);
    this.part("neighbourhood").hidden = !neighbours.length;
    const alike = neighbours.filter((j) => data.labels[j] === data.labels[i]).length;
    this.part("alike").textContent = data.labels[i] < 0 ? scene.kindsOf(i) : `${alike} of ${neighbours.length} share its class`;
    this.part("neighbours").replaceChildren(
      ...neighbours.map((j) => {
        const label = `${scene.classOf(j)} ${scene.nameOf(j)}`;
        const button = element("button", { type: "button", title: label, "aria-label": `Go to ${label}` });
        button.style.setProperty("--class", cssColour(scene.classColours[data.labels[j]] ?? scene.ink));
        button.append(data.images ? spriteCanvas(data.images, j) : scene.nameOf(j));
        button.addEventListener("click", () => app.goTo(j));
        return button;
      }),
    );
  }

  // Beside the point, on the side away from its neighbours' lines; on small screens the style sheet docks it above or
  // below, where the point is not.
  place(i) {
    const { scene, card } = this;
    const { view } = scene;
    const [left, top] = scene.screenOf(i);
    card.classList.toggle("below", top < view.height / 2);
    const distance = DISTANCE + (scene.grown(i) * scene.imageSize) / 2;
    const neighbours = scene.neighboursOf(i);
    const drift = neighbours.reduce((sum, j) => sum + scene.screenOf(j)[0] - left, 0);
    const [width, height] = [card.offsetWidth, card.offsetHeight];
    const fits = { left: left - distance - width > 8, right: left + distance + width < view.width - 8 };
    const side = (drift > 0 && fits.left) || !fits.right ? "left" : "right";
    const x = side === "left" ? left - distance - width : left + distance;
    const clamp = (value, most) => Math.round(Math.max(8, Math.min(most - 8, value)));
    card.style.transform = `translate(${clamp(x, view.width - width)}px, ${clamp(top - height / 2, view.height - height)}px)`;
  }
}
