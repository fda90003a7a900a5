// Picture: the drawing on its stage. It moves and zooms, and lights up where a step is.

const stage = {
  pictures: [],            // for each drawing: its svg, nodes and edges by id, size
  now: null,               // the one that is shown
  window: null,            // the part of the drawing in sight: x, y, and scale in screen pixels for one of the drawing's
  moving: 0,
};
const SMALLEST = 0.05, LARGEST = 8, READABLE = 0.78;

function setUpPictures() {
  for (const box of document.querySelectorAll(".picture")) {
    const svg = box.querySelector("svg"), nodes = new Map(), edges = new Map();
    for (const node of svg.querySelectorAll("[data-node]")) {
      const id = node.dataset.node, title = node.querySelector("title");
      nodes.set(id, node);
      set(node, { tabindex: 0, role: "button", "aria-label": title ? title.textContent : id });
      if (title) title.remove();  // the card says it, and more
    }
    for (const edge of svg.querySelectorAll("path[data-from]")) {
      const key = `${edge.dataset.from} ${edge.dataset.to ?? ""}`;
      edges.set(key, [...(edges.get(key) ?? []), edge]);
    }
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    svg.removeAttribute("role");
    const over = drawn("g", { class: "over", "aria-hidden": "true" }), afterEdges = drawn("g");
    svg.append(over);
    svg.querySelector("path.edge:last-of-type")?.after(afterEdges);
    stage.pictures.push({ box, svg, nodes, edges, width, height, over, afterEdges, classes: new Map(), lit: [] });
  }
  stage.now = stage.pictures[0];
  const ground = $("stage");
  ground.addEventListener("wheel", turned, { passive: false });
  ground.addEventListener("pointerdown", pressed);
  ground.addEventListener("pointermove", dragged);
  for (const kind of ["pointerup", "pointercancel"]) ground.addEventListener(kind, released);
  new ResizeObserver(() => place(stage.window)).observe(ground);
}

function usePicture(k) {
  stage.pictures.forEach((picture, i) => { picture.box.hidden = i !== k; });
  stage.now = stage.pictures[k];
  stage.window = null;
}

// -- moving and zooming --------------------------------------------------------------------------

const room = () => ({ width: $("stage").clientWidth, height: $("stage").clientHeight });

function place(window) {
  if (!window) return;
  const { width, height } = room();
  const scale = Math.min(LARGEST, Math.max(SMALLEST, window.scale));
  // Some of the drawing always stays in sight.
  const keep = 60 / scale, picture = stage.now;
  const x = Math.min(picture.width - keep, Math.max(keep - width / scale, window.x));
  const y = Math.min(picture.height - keep, Math.max(keep - height / scale, window.y));
  stage.window = { x, y, scale };
  picture.svg.setAttribute("viewBox", `${x} ${y} ${width / scale} ${height / scale}`);
}

// Go to a place, in a few frames unless the reader wants no motion.
function glide(goal) {
  cancelAnimationFrame(stage.moving);
  const start = stage.window, begun = performance.now();
  if (!start || matchMedia("(prefers-reduced-motion: reduce)").matches) return place(goal);
  const frame = (time) => {
    const part = Math.min(1, (time - begun) / 260), ease = part * (2 - part), between = (key) => start[key] + (goal[key] - start[key]) * ease;
    place({ x: between("x"), y: between("y"), scale: between("scale") });
    if (part < 1) stage.moving = requestAnimationFrame(frame);
  };
  stage.moving = requestAnimationFrame(frame);
}

function whole() {
  const { width, height } = room(), picture = stage.now;
  const scale = Math.min((width - 24) / picture.width, (height - 24) / picture.height, Math.max(1.6, height / 700));
  return { x: (picture.width - width / scale) / 2, y: (picture.height - height / scale) / 2, scale };
}

// The whole picture where it can be read so, else its top at a size that can.
function opening() {
  const all = whole(), { width } = room();
  if (all.scale >= READABLE) return all;
  const scale = READABLE + 0.14, picture = stage.now;
  const first = boxOf(steps()[0]?.id ?? picture.nodes.keys().next().value);
  const x = picture.width * scale < width ? (picture.width - width / scale) / 2 : first.x + first.width / 2 - width / scale / 2;
  return { x, y: -12 / scale, scale };
}

function zoom(by, at) {
  const { width, height } = room(), { x, y, scale } = stage.window, to = Math.min(LARGEST, Math.max(SMALLEST, scale * by));
  const point = at ?? { x: width / 2, y: height / 2 };
  place({ x: x + point.x / scale - point.x / to, y: y + point.y / scale - point.y / to, scale: to });
}

function boxOf(id) {
  const node = stage.now.nodes.get(id);
  if (!node) return { x: 0, y: 0, width: 0, height: 0 };
  const { x, y, width, height } = node.getBBox(), { e, f } = node.transform.baseVal.consolidate().matrix;
  return { x: x + e, y: y + f, width, height };
}

// Bring nodes into sight, moving as little as possible; if they do not fit together, the first of them counts.
function show(ids) {
  const { width, height } = room(), { x, y, scale } = stage.window, edge = 36 / scale;
  const wide = width / scale - 2 * edge, high = height / scale - 2 * edge;
  const all = ids.map(boxOf);
  const span = (some) => [Math.min(...some.map((b) => b.x)), Math.min(...some.map((b) => b.y)),
    Math.max(...some.map((b) => b.x + b.width)), Math.max(...some.map((b) => b.y + b.height))];
  let [left, top, right, bottom] = span(all);
  if (right - left > wide || bottom - top > high) [left, top, right, bottom] = span(all.slice(0, 1));
  const shift = (from, size, low, high) => low < from ? low : high > from + size ? Math.min(low, high - size) : from;
  const goal = { x: shift(x + edge, wide, left, right) - edge, y: shift(y + edge, high, top, bottom) - edge, scale };
  if (goal.x !== x || goal.y !== y) glide(goal);
}

function centre(id, scale = Math.max(stage.window.scale, READABLE + 0.14)) {
  const { width, height } = room(), box = boxOf(id);
  glide({ x: box.x + box.width / 2 - width / scale / 2, y: box.y + box.height / 2 - height / scale / 2, scale });
}

const onStage = (event) => {
  const box = $("stage").getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
};

function turned(event) {
  if (event.target.closest("#card")) return;
  event.preventDefault();
  cancelAnimationFrame(stage.moving);
  zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), onStage(event));
}

const fingers = new Map();
let travelled = 0;

function pressed(event) {
  if (event.button !== 0 || event.target.closest("#card, #zoom")) return;
  cancelAnimationFrame(stage.moving);
  fingers.set(event.pointerId, onStage(event));
  if (fingers.size === 1) travelled = 0;
}

function dragged(event) {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const now = onStage(event), others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
  travelled += Math.hypot(now.x - before.x, now.y - before.y);
  if (travelled < 4) return;
  if (!$("stage").hasPointerCapture(event.pointerId)) $("stage").setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, now);
  const other = others[0], { x, y, scale } = stage.window;
  if (!other) return place({ x: x - (now.x - before.x) / scale, y: y - (now.y - before.y) / scale, scale });
  const apart = (a) => Math.hypot(a.x - other.x, a.y - other.y);
  zoom(apart(now) / Math.max(1, apart(before)), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
}

function released(event) {
  fingers.delete(event.pointerId);
}

// -- lights --------------------------------------------------------------------------------------

// Classes of nodes: "later" (not reached yet), "went" (went back already), "now", "gives" and "takes" (its neighbours), "hit" (found).
function light(classes, flows) {
  const picture = stage.now;
  for (const [id, node] of picture.nodes) {
    const wanted = classes.get(id) ?? "";
    if ((picture.classes.get(id) ?? "") === wanted) continue;
    for (const name of (picture.classes.get(id) ?? "").split(" ").filter(Boolean)) node.classList.remove(name);
    node.classList.add(...wanted.split(" ").filter(Boolean));
    picture.classes.set(id, wanted);
  }
  for (const edge of picture.lit) edge.classList.remove("lit", "back");
  picture.lit = [];
  picture.pills = [];
  picture.over.replaceChildren();
  for (const flow of flows) lightEdge(flow);
}

function lightEdge({ from, to, nth, text, back, alone }) {
  const picture = stage.now, found = picture.edges.get(`${from} ${to}`) ?? [], edge = found[nth] ?? found[0];
  if (!edge) return;
  edge.classList.add("lit", ...(back ? ["back"] : []));
  picture.lit.push(edge);
  picture.afterEdges.before(edge);  // above its neighbours
  const way = edge.getAttribute("d").split("m")[0], line = drawn("path", { d: way });
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) picture.over.append(runner(way, back));
  if (text) picture.over.append(pill(line, text, back, alone));
}

// A number on its way. Of some places on the edge it takes the one where it covers least of the numbers that are there already;
// near its variable first, where edges are apart.
function pill(line, text, back, alone) {
  const length = line.getTotalLength(), wide = 7.3 * text.length + 10;
  const boxes = [alone ? Math.min(length / 2, 20) : length / 2, length * 0.3, length * 0.7].flatMap((at) => [0, -1, 1].map((aside) => {
    const { x, y } = line.getPointAtLength(at);
    return { x: x - wide / 2 + aside * (wide / 2 - 8), y: y - 9, width: wide, height: 18 };
  }));
  const over = (a, b, from, size) => Math.max(0, Math.min(a[from] + a[size], b[from] + b[size]) - Math.max(a[from], b[from]));
  const covered = (box) => stage.now.pills.reduce((sum, other) => sum + over(box, other, "x", "width") * over(box, other, "y", "height"), 0);
  const box = boxes.reduce((best, other) => covered(other) < covered(best) ? other : best);
  stage.now.pills.push(box);
  return drawn("g", { class: back ? "flow back" : "flow" }, drawn("rect", { ...box, rx: 9 }), drawn("text", { x: box.x + wide / 2, y: box.y + 13.2 }, text));
}

// A dot that runs along an edge, up it in backward.
function runner(way, back) {
  const motion = { path: way, dur: "1.1s", repeatCount: "indefinite", calcMode: "linear", keyTimes: "0;1", keyPoints: back ? "1;0" : "0;1" };
  return drawn("circle", { r: 3.6, class: back ? "runner back" : "runner" }, drawn("animateMotion", motion));
}
