// What is drawn, and by which column it is coloured.
import { grouped } from "../data/columns.js";
import { byId, element } from "../dom_elements.js";

export class Appearance {
  constructor(state) {
    Object.assign(this, { state, data: state.data });
    const { data } = this;
    this.colour = byId("colour-by");
    this.colour.addEventListener("change", () => state.change({ colourBy: this.colour.value }));
    if (data.images) this.choices("pictures", [["auto", "Auto"], ["dots", "Dots"], ["images", "Images"]]);
    byId("pictures").closest(".group").hidden = !data.images;
    this.checkbox("cut-out", "cutOut", Boolean(data.images) && !data.colour);
    this.checkbox("names-shown", "namesShown", data.dimensions === 2);
    this.checkbox("density-shown", "densityShown", Boolean(data.density));
    byId("density-name").textContent = `Density of ${grouped(data.density?.count ?? 0)} points`;
    this.checkbox("new-shown", "newShown", data.stored > data.mapped);
    byId("new-name").textContent = `${data.newName} (${grouped(data.stored - data.mapped)})`;
    state.onChange(["colourBy", "pictures", "cutOut", "densityShown", "newShown", "namesShown", "columns"], () => this.update());
    this.update();
  }

  // A row of radio buttons for one key of the state.
  choices(key, options) {
    for (const [value, label] of options) {
      const input = element("input", { type: "radio", name: key, value });
      input.addEventListener("change", () => this.state.change({ [key]: value }));
      byId(key).append(element("label", {}, input, element("span", {}, label)));
    }
  }

  checkbox(id, key, present) {
    const input = byId(id);
    input.closest("label").hidden = !present;
    input.addEventListener("change", () => this.state.change({ [key]: input.checked }));
  }

  update() {
    const { state, data } = this;
    const columns = data.chartable;
    if (columns.length !== this.colour.options.length) {
      this.colour.replaceChildren(...columns.map(({ key, title }) => element("option", { value: key }, title)));
    }
    this.colour.value = state.colourBy;
    for (const input of document.querySelectorAll('input[name="pictures"]')) input.checked = input.value === state.pictures;
    byId("cut-out").checked = state.cutOut;
    byId("names-shown").checked = state.namesShown;
    byId("density-shown").checked = state.densityShown;
    byId("new-shown").checked = state.newShown;
  }
}
