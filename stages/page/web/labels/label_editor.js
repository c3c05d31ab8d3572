// The fields that label and tag the selected points.
import { count } from "../data/columns.js";
import { button, byId, download, element } from "../dom_elements.js";
import { csv, labelTable } from "./csv.js";

const SUGGESTED = 500; // classes offered

export class LabelEditor {
  constructor(state, labels) {
    Object.assign(this, { state, labels, data: state.data });
    const submit = (id, act) => {
      byId(`${id}-form`).addEventListener("submit", (event) => {
        event.preventDefault();
        if (byId(id).value.trim() || id === "new-label") act(this.points(), byId(id).value);
        byId(id).value = "";
      });
    };
    submit("new-label", (points, text) => labels.setLabel(points, text));
    submit("new-tag", (points, text) => labels.addTag(points, text));
    byId("undo").addEventListener("click", () => labels.undo());
    byId("download-labels").addEventListener("click", () => {
      download("labels.csv", csv(labelTable(this.data, labels)), "text/csv");
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.target.matches("input, textarea")) return;
      event.preventDefault();
      labels.undo();
    });
    state.onChange(["selected", "labels"], () => this.update());
    this.update();
  }

  points() {
    return [...(this.state.selected ?? [])];
  }

  update() {
    const { labels, data } = this;
    const points = this.points();
    byId("labelling").hidden = !points.length && !labels.edits.size && !labels.past.length;
    byId("labelling-forms").hidden = !points.length;
    byId("labelling-what").textContent = points.length ? `Label or tag ${count(points.length, "point")}` : "Labels and tags";
    byId("edited").textContent = labels.edits.size ? `${count(labels.edits.size, "point")} changed, kept in this browser` : "";
    byId("download-labels").hidden = !labels.edits.size;
    byId("undo").hidden = !labels.past.length;
    const options = (names) => names.slice(0, SUGGESTED).map((name) => element("option", { value: name }));
    byId("known-classes").replaceChildren(...options(data.classes.categories));
    byId("known-tags").replaceChildren(...options(labels.allTags()));
    const tags = [...new Set(points.flatMap((i) => labels.tagsOf(i)))].sort();
    byId("selected-tags").replaceChildren(
      ...tags.map((tag) => {
        const remove = () => labels.removeTag(this.points(), tag);
        return element("span", { class: "tag" }, tag, button("×", remove, { "aria-label": `Remove the tag ${tag}` }));
      }),
    );
  }
}
