// Mouse, touch and keyboard on the map. Reports what the user means; `app` carries it out.

const CLICK_REACH = 5; // CSS pixels a pointer may move and still click
const KEY_STEP = 80; // CSS pixels of one press of an arrow

export function listen(surface, app) {
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
    else if (event.button === 0 && (app.lassoArmed || event.shiftKey)) gesture = { kind: "lasso", path: [app.scene.view.toMap(...at)] };
    else gesture = { kind: "drag", from: at, moved: false, slide: event.button !== 0 };
  });

  surface.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (!pointers.has(event.pointerId)) {
      if (event.pointerType !== "touch") app.hover(at);
      return;
    }
    const [lastX, lastY] = pointers.get(event.pointerId);
    pointers.set(event.pointerId, at);
    if (gesture?.kind === "pinch" && pointers.size === 2) {
      const now = spread();
      app.camera.drag(now.middle[0] - gesture.middle[0], now.middle[1] - gesture.middle[1], true);
      app.camera.zoom(now.middle, now.distance / gesture.distance);
      Object.assign(gesture, now);
    } else if (gesture?.kind === "lasso") {
      gesture.path.push(app.scene.view.toMap(...at));
      app.showLasso(gesture.path);
    } else if (gesture?.kind === "drag") {
      gesture.moved ||= Math.hypot(at[0] - gesture.from[0], at[1] - gesture.from[1]) > CLICK_REACH;
      if (gesture.moved) app.camera.drag(at[0] - lastX, at[1] - lastY, gesture.slide);
    }
  });

  const release = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (gesture?.kind === "lasso") app.finishLasso(event.type === "pointerup" ? gesture.path : []);
    else if (gesture?.kind === "drag" && !gesture.moved && event.type === "pointerup" && !gesture.slide) app.click(place(event));
    gesture = pointers.size === 1 ? { kind: "drag", from: [...pointers.values()][0], moved: true } : null;
  };
  surface.addEventListener("pointerup", release);
  surface.addEventListener("pointercancel", release);
  surface.addEventListener("pointerleave", () => pointers.size || app.hover(null));
  surface.addEventListener("contextmenu", (event) => event.preventDefault());
  surface.addEventListener("dblclick", (event) => app.camera.glideZoom(place(event), event.altKey ? 0.4 : 2.5));
  surface.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const pixels = event.deltaY * [1, 16, 100][event.deltaMode];
      app.camera.zoom(place(event), Math.exp(-Math.max(-300, Math.min(300, pixels)) * (event.ctrlKey ? 0.01 : 0.0018)));
    },
    { passive: false },
  );

  const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const keys = {
    "+": () => app.camera.glideZoom(null, 1.6),
    "=": () => app.camera.glideZoom(null, 1.6),
    "-": () => app.camera.glideZoom(null, 1 / 1.6),
    "−": () => app.camera.glideZoom(null, 1 / 1.6),
    0: () => app.camera.fit(),
    Enter: () => app.pinCentre(),
    l: () => app.armLasso(!app.lassoArmed),
    a: () => app.selectShown(),
  };
  surface.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = arrows[event.key];
    if (arrow) app.camera.drag(arrow[0] * KEY_STEP, arrow[1] * KEY_STEP, event.shiftKey);
    else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    gesture = null;
    app.escape();
  });
}
