// Further runs: from the files of other pages, chosen or dropped, and the button that shows two beside each other.
import { byId, say } from "../../../page/web/dom_elements.js";
import { runsOfFile } from "../data/unpack.js";

export function connectRuns(state) {
  byId("open").addEventListener("click", () => byId("files").click());
  byId("files").addEventListener("change", () => {
    open(state, [...byId("files").files]);
    byId("files").value = "";
  });
  byId("compare").addEventListener("click", () => {
    const [first] = state.shown;
    state.show([first, first === 0 ? 1 : 0]);
  });
  const update = () => (byId("compare").hidden = state.runs.length < 2 || state.shown.length > 1);
  state.onChange(["runs", "shown"], update);
  update();
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget ?? document.body.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    open(state, [...event.dataTransfer.files]);
  });
}

export async function open(state, files) {
  for (const file of files) {
    let runs = [];
    try {
      runs = await runsOfFile(file);
    } catch {
      // damaged: as one without runs
    }
    if (runs.length) {
      state.add(runs);
      say(`Opened ${file.name}`, true);
    } else {
      say(`${file.name} holds no recorded training: choose the curve.html of another run`, true);
    }
  }
}
