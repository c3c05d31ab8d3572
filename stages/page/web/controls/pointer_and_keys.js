// Mouse, touch and keyboard on the map.

const CLICK_REACH = 5; // CSS pixels a pointer may move and still click
const KEY_STEP = 80; // CSS pixels of one press of an arrow

export function listenToPointerAndKeys(map, motion, navigator) {
  const { surface, viewport } = map;
  const pointers = new Map();
  let gesture = null; // {kind: drag | pinch | lasso, …}

  const place = (event) => {
    const box = surface.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], distance: Math.hypot(a[0] - b[0], a[1] - b[1]) || 1 };
  };

  surface.addEventListener("pointerdown", (event) => {
    if (event.button > 2) return;
    surface.setPointerCapture(event.pointerId);
    const at = place(event);
    pointers.set(event.pointerId, at);
    if (pointers.size === 2) gesture = { kind: "pinch", ...spread() };
    else if (event.button === 0 && (navigator.lassoArmed || event.shiftKey)) gesture = { kind: "lasso", path: [viewport.toMap(...at)] };
    else gesture = { kind: "drag", from: at, moved: false, slide: event.button !== 0 };
  });

  surface.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (!pointers.has(event.pointerId)) {
      if (event.pointerType !== "touch") navigator.hover(at);
      return;
    }
    const [lastX, lastY] = pointers.get(event.pointerId);
    pointers.set(event.pointerId, at);
    if (gesture?.kind === "pinch" && pointers.size === 2) {
      const now = spread();
      motion.drag(now.middle[0] - gesture.middle[0], now.middle[1] - gesture.middle[1], true);
      motion.zoom(now.middle, now.distance / gesture.distance);
      Object.assign(gesture, now);
    } else if (gesture?.kind === "lasso") {
      gesture.path.push(viewport.toMap(...at));
      navigator.showLasso(gesture.path);
    } else if (gesture?.kind === "drag") {
      gesture.moved ||= Math.hypot(at[0] - gesture.from[0], at[1] - gesture.from[1]) > CLICK_REACH;
      if (gesture.moved) motion.drag(at[0] - lastX, at[1] - lastY, gesture.slide);
    }
  });

  const release = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (gesture?.kind === "lasso") navigator.finishLasso(event.type === "pointerup" ? gesture.path : []);
    else if (gesture?.kind === "drag" && !gesture.moved && event.type === "pointerup" && !gesture.slide) navigator.click(place(event));
    gesture = pointers.size === 1 ? { kind: "drag", from: [...pointers.values()][0], moved: true } : null;
  };
  surface.addEventListener("pointerup", release);
  surface.addEventListener("pointercancel", release);
  surface.addEventListener("pointerleave", () => pointers.size || navigator.hover(null));
  surface.addEventListener("contextmenu", (event) => event.preventDefault());
  surface.addEventListener("dblclick", (event) => motion.glideZoom(place(event), event.altKey ? 0.4 : 2.5));
  surface.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const pixels = event.deltaY * [1, 16, 100][event.deltaMode];
      motion.zoom(place(event), Math.exp(-Math.max(-300, Math.min(300, pixels)) * (event.ctrlKey ? 0.01 : 0.0018)));
    },
    { passive: false },
  );

  const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const keys = {
    "+": () => motion.glideZoom(null, 1.6),
    "=": () => motion.glideZoom(null, 1.6),
    "-": () => motion.glideZoom(null, 1 / 1.6),
    "−": () => motion.glideZoom(null, 1 / 1.6),
    0: () => motion.fit(),
    Enter: () => navigator.pinCentre(),
    l: () => navigator.armLasso(!navigator.lassoArmed),
    n: () => navigator.step(1),
    p: () => navigator.step(-1),
    a: () => navigator.select(map.onScreen()),
  };
  surface.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = arrows[event.key];
    if (arrow) motion.drag(arrow[0] * KEY_STEP, arrow[1] * KEY_STEP, event.shiftKey);
    else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    gesture = null;
    navigator.escape();
  });
}
