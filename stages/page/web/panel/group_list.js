// The groups of the map, each by its medoid, its name and what sets it apart; a click flies there.
import { count } from "../data/columns.js";
import { button, byId, element, spriteCanvas } from "../dom_elements.js";
import { amountsOf } from "../map/point_colours.js";

export class GroupList {
  constructor(data, navigator) {
    const { groups, images } = data;
    byId("groups").hidden = !groups.length;
    if (!groups.length) return;
    const amounts = amountsOf(data.groupColumn);
    const entry = ({ name, medoid, toldBy, code }, group) => {
      const title = images || data.classNames.length ? name : data.nameOf(medoid);
      const about = [count(amounts[code], "point"), toldBy].filter(Boolean).map((words) => element("span", { class: "soft" }, words));
      const text = element("span", {}, title, ...about);
      const made = button("", () => navigator.goToGroup(group), { "aria-label": `Go to the group ${title}` });
      made.append(...(images ? [spriteCanvas(images, medoid)] : []), text);
      return element("li", {}, made);
    };
    byId("group-list").replaceChildren(...groups.map(entry));
  }
}
