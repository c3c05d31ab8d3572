// Reads the data, makes the state, and connects the views that draw it and the controls that change it.
import { PointCard } from "./card/point_card.js";
import { Appearance } from "./controls/appearance.js";
import { Navigator } from "./controls/go_to_points.js";
import { Permalink } from "./controls/permalink.js";
import { listenToPointerAndKeys } from "./controls/pointer_and_keys.js";
import { connectToolbar } from "./controls/toolbar.js";
import { count } from "./data/columns.js";
import { PageData } from "./data/page_data.js";
import { byId } from "./dom_elements.js";
import { LabelEditor } from "./labels/label_editor.js";
import { LabelStore } from "./labels/label_store.js";
import { MapLabels } from "./map/map_labels.js";
import { MapView } from "./map/map_view.js";
import { Motion } from "./map/camera_motion.js";
import { parseColour } from "./map/point_colours.js";
import { GroupList } from "./panel/group_list.js";
import { LegendAndFilters } from "./panel/legend_and_filters.js";
import { ReviewLists } from "./panel/review_lists.js";
import { fillRunTables } from "./panel/metrics_and_settings.js";
import { SearchBox } from "./panel/search_box.js";
import { SelectionPanel } from "./panel/selection_panel.js";
import { receiveImages } from "./placing/receive_images.js";
import { State } from "./state.js";
import { Theme } from "./theme.js";

function start() {
  const data = new PageData();
  const state = new State(data);
  const theme = new Theme(["ground", "ink", "warning"], parseColour);
  const map = new MapView(state, theme);
  const motion = new Motion(map);
  const navigator = new Navigator(state, map, motion);
  const labels = new LabelStore(state);
  const permalink = new Permalink(state, map, motion, navigator);

  const summary = [count(data.newShown ? data.stored : data.mapped, data.images ? "image" : "point"), `${data.dimensions}-D`];
  if (data.classNames.length) summary.splice(1, 0, count(data.classNames.length, "class", "classes"));
  byId("summary").textContent = summary.join(" · ");
  connectToolbar(map, motion, navigator, theme, permalink);
  listenToPointerAndKeys(map, motion, navigator);
  new PointCard(byId("card"), state, map, labels, navigator);
  new Appearance(state);
  new MapLabels(map);
  new SearchBox(state, labels, navigator);
  new SelectionPanel(state, map, labels, navigator);
  new LabelEditor(state, labels);
  fillRunTables(data);
  map.measure();
  motion.fit(false);
  permalink.read();
  new ResizeObserver(() => map.measure()).observe(byId("map"));
  map.draw();

  // `drawn` is fulfilled once the points are drawn, `ready` once names, columns and every image are there.
  const drawn = new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const ready = drawn.then(async () => {
    performance.mark("drawn");
    await data.load();
    labels.restore();
    state.change({ colourBy: data.colourBy, columns: data.columns.length });
    new LegendAndFilters(state, map);
    new GroupList(data, navigator);
    new ReviewLists(state, navigator);
    permalink.read();
    permalink.follow();
    await map.loadImages();
    performance.mark("ready");
  });
  if (data.encoder) receiveImages(state, map, navigator, ready);
  window.fitmap = { data, state, map, motion, navigator, labels, drawn, ready }; // for the console and tests
}

try {
  start();
} catch (error) {
  if (error.message !== "no WebGL 2") throw error;
  byId("no-webgl").hidden = false;
}
