// What each group of the map is called, and its colour. If the points are coloured by a column of the samples with
// categories, a group has the name and colour of its main category there; else those of its class.
import { categoryColours } from "./point_colours.js";

const MAIN = 0.3; // least share of a group's points that are of the category that names it
const LEFT = 0.1; // least share of a group's points that filters leave, or it is hidden with them

// { group, text, colour, amount } of each group of which enough is shown, the largest first. `text` is "" if no category
// is frequent enough, and null if there are none at all, so that the group's medoid has to stand for it.
export function groupLabels(state, column, ground) {
  const { data } = state;
  if (!data.groups.length) return [];
  const naming = column.isCategory ? column : data.classes;
  const numbered = naming === data.classes || naming === data.groupColumn; // then the groups' own names are used
  const colours = categoryColours(naming, ground);
  const counts = data.groups.map(() => new Map());
  const sizes = data.groups.map(() => 0);
  const groupOf = new Int32Array(data.groupColumn.categories.length + 1).fill(-1);
  data.groups.forEach(({ code }, group) => (groupOf[code] = group));
  for (let i = 0; i < data.mapped; i++) {
    const group = groupOf[data.groupColumn.values[i]];
    if (group < 0) continue;
    sizes[group]++;
    if (!state.isShown(i)) continue;
    counts[group].set(naming.values[i], (counts[group].get(naming.values[i]) ?? 0) + 1);
  }
  const labels = counts.map((amounts, group) => {
    const amount = [...amounts.values()].reduce((a, b) => a + b, 0);
    const known = [...amounts].filter(([code]) => code);
    const [main, most] = known.reduce((best, next) => (next[1] > best[1] ? next : best), [0, 0]);
    const code = most >= MAIN * amount ? main : 0;
    const own = data.classNames.length ? data.groups[group].name : null;
    return { group, text: numbered ? own : code ? naming.categories[code - 1] : "", colour: colours[code], amount };
  });
  return labels.filter(({ group, amount }) => amount >= LEFT * sizes[group]).sort((a, b) => b.amount - a.amount);
}
