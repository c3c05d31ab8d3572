// The legend of the colours, and a chart for each other column. Both hide points: every chart filters the map and all
// other charts.
import { grouped } from "../data/columns.js";
import { byId, element } from "../dom_elements.js";
import { CategoryList } from "./category_list.js";
import { Histogram } from "./histogram.js";

export class LegendAndFilters {
  constructor(state, map) {
    Object.assign(this, { state, map, data: state.data });
    this.open = new Set(); // keys of the columns whose chart is open
    state.onChange(["colourBy", "columns"], () => this.build());
    state.onChange(["filters", "newShown", "labels"], () => this.update());
    map.theme.onChange(() => this.update());
    byId("reset-filters").addEventListener("click", () => {
      state.setFilters([]);
      state.change({ search: "", selected: null });
    });
    byId("select-found").addEventListener("click", () => {
      const found = state.found();
      state.change({ selected: found.length ? new Set(found) : null });
    });
    state.onChange(["filters", "matched", "newShown", "selected", "labels"], () => this.count());
    this.build();
  }

  chart(column, into, coloured) {
    const Chart = column.isCategory ? CategoryList : Histogram;
    return new Chart(this.state, this.map, column, into, { coloured });
  }

  build() {
    const { data, state } = this;
    const shown = data.column(state.colourBy) ?? data.classes;
    byId("legend-title").textContent = shown.title;
    this.legend = this.chart(shown, byId("legend"), true);
    const others = data.chartable.filter((column) => column !== shown);
    byId("filters").hidden = !others.length;
    this.charts = new Map();
    byId("filter-list").replaceChildren(
      ...others.map((column) => {
        const into = element("div");
        const note = element("span", { class: "soft" });
        const heading = element("span", {}, element("span", {}, column.title), " ", note);
        const details = element("details", {}, element("summary", {}, heading), into);
        const chart = { note, column, drawn: null };
        const toggle = () => {
          if (details.open) this.open.add(column.key);
          else this.open.delete(column.key);
          if (details.open) chart.drawn ??= this.chart(column, into, false);
          else chart.drawn = null;
        };
        details.addEventListener("toggle", toggle);
        details.open = this.open.has(column.key);
        this.charts.set(column.key, chart);
        return details;
      }),
    );
    this.update();
  }

  update() {
    const { state } = this;
    this.legend.update();
    for (const { note, column, drawn } of this.charts.values()) {
      note.textContent = state.filters.has(column.key) ? "· filtered" : "";
      drawn?.update();
    }
    this.count();
  }

  // How many points pass the filters and the search, and what can be done with them.
  count() {
    const { state, data } = this;
    let [found, all] = [0, 0];
    for (let i = 0; i < data.total; i++) {
      if (!state.isInLayer(i)) continue;
      all++;
      if (state.isShown(i) && (!state.matched || state.matched[i])) found++;
    }
    byId("found").textContent = found === all ? `${grouped(all)} points` : `${grouped(found)} of ${grouped(all)}`;
    byId("select-found").hidden = found === all || !found;
    byId("reset-filters").hidden = !(state.filters.size || state.search || state.selected);
  }
}
