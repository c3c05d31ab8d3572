// The buttons over the map, and opening and closing of the panel.
import { byId, copy, say } from "../dom_elements.js";

const small = matchMedia("(max-width: 720px)");

export const isSmall = () => small.matches;

export function connectToolbar(map, motion, navigator, theme, permalink) {
  const act = (id, listener) => byId(id).addEventListener("click", listener);
  act("zoom-in", () => motion.glideZoom(null, 1.6));
  act("zoom-out", () => motion.glideZoom(null, 1 / 1.6));
  act("fit", () => motion.fit());
  act("lasso", () => navigator.armLasso(!navigator.lassoArmed));
  act("theme", () => theme.set(!theme.dark));
  act("panel-toggle", () => showPanel(map, document.body.classList.contains("panel-closed")));
  act("copy-link", async () => {
    permalink.write();
    if (!(await copy(location.href, "The link to this view is copied."))) {
      say("The address bar holds the link to this view.", true);
    }
  });
  showPanel(map, !small.matches);
}

export function showPanel(map, open) {
  document.body.classList.toggle("panel-closed", !open);
  byId("panel-toggle").setAttribute("aria-expanded", open);
  map.measure();
}
