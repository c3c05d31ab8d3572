// Points worth a look: each list becomes the selection, and the card leads through it.
import { grouped } from "../data/columns.js";
import { button, byId } from "../elements.js";

const WORST = 100; // points of the list of reconstruction errors, at most …
const WORST_SHARE = 0.02; // … and at most this share of all

export class ReviewLists {
  constructor(state, navigator) {
    Object.assign(this, { state, navigator, data: state.data });
    state.onChange(["labels", "columns"], () => this.update());
    this.update();
  }

  update() {
    const lists = [
      ["Suspect labels", "most of their latent neighbours have another class", suspectLabels(this.data)],
      ["Badly reconstructed", "the largest reconstruction errors", largestErrors(this.data)],
      ["Off the map", "unlike everything that the map shows", [...this.data.warnings.keys()]],
    ].filter(([, , points]) => points.length);
    byId("review").hidden = !lists.length;
    byId("review-lists").replaceChildren(
      ...lists.map(([name, why, points]) => button(`${name} (${grouped(points.length)})`, () => this.open(points), { title: why })),
    );
  }

  open(points) {
    if (!points.every((i) => this.state.isInLayer(i))) this.state.change({ newShown: true });
    this.state.change({ selected: new Set(points) });
    this.navigator.walk(points);
  }
}

// Points of which most neighbours have one other class, the clearest first.
function suspectLabels(data) {
  const found = [];
  for (let i = 0; i < data.stored; i++) {
    const other = data.otherClassOf(i);
    if (other) found.push([i, other.share]);
  }
  return found.sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([i]) => i);
}

function largestErrors(data) {
  const errors = data.column("error")?.values;
  if (!errors) return [];
  const known = [...errors.keys()].filter((i) => i < data.stored && Number.isFinite(errors[i]));
  return known.sort((i, j) => errors[j] - errors[i]).slice(0, Math.min(WORST, Math.ceil(WORST_SHARE * known.length)));
}
