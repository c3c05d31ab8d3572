// Points worth a look: each list becomes the selection, and the card leads through it.
import { grouped } from "../data/columns.js";
import { button, byId } from "../dom_elements.js";

const NAMES = {
  label: "Suspect labels",
  duplicate: "Duplicates",
  leak: "Copies in training and test",
  outlier: "Outliers",
  thin: "Small or scattered classes",
};

export class ReviewLists {
  constructor(state, navigator) {
    Object.assign(this, { state, navigator });
    const { data } = state;
    const kinds = [...new Set(data.review.map(({ kind }) => kind))];
    const lists = kinds.map((kind) => {
      const findings = data.review.filter((finding) => finding.kind === kind);
      const here = findings.filter(({ point }) => point >= 0);
      const amount = here.length < findings.length ? `${grouped(here.length)} of ${grouped(findings.length)}` : grouped(here.length);
      return [`${NAMES[kind] ?? kind} (${amount})`, pointsOf(here)];
    });
    if (data.warnings.size) lists.push([`Off the map (${grouped(data.warnings.size)})`, [...data.warnings.keys()]]);
    byId("review").hidden = !lists.length;
    byId("review-lists").replaceChildren(
      ...lists.map(([name, points]) => button(name, () => this.open(points), points.length ? {} : { disabled: "" })),
    );
  }

  open(points) {
    if (!points.every((i) => this.state.isInLayer(i))) this.state.change({ newShown: true });
    this.state.change({ selected: new Set(points) });
    this.navigator.walk(points);
  }
}

// The points of some findings, with a copy's original after it.
function pointsOf(findings) {
  const copies = (kind) => kind === "duplicate" || kind === "leak";
  return [...new Set(findings.flatMap(({ kind, point, other }) => (copies(kind) && other >= 0 ? [point, other] : [point])))];
}
