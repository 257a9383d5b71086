// The graph on one page: pan, zoom, search, select, paths, overlays, blocks. It loads nothing.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const canvas = $("graph"), pen = canvas.getContext("2d");
  const STRIP = 512, SHOWN = 200, LEAST = 0.002, MOST = 3;
  const SCALE = ["#2c2f6b", "#2a5783", "#22807f", "#4fa765", "#b3c646", "#f3e255"];
  const css = (name) => getComputedStyle(document.body).getPropertyValue(`--${name}`);
  const kept = new Map();
  let part = null, path = "", zoom = 1, left = 0, top = 0, selected = -1;
  let lit = new Set(), ways = "", hits = new Set(), overlay = null, waiting = false, ink = {};

  // Names come from a model: what is invisible or turns the writing round is shown as a mark.
  const plain = (text) => String(text).replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
  const make = (tag, text, cls) => {
    const item = document.createElement(tag);
    if (text !== undefined) item.textContent = plain(text);
    if (cls) item.className = cls;
    return item;
  };
  const link = (text, run) => {
    const item = make("button", text, "link");
    item.type = "button";
    item.onclick = run;
    return item;
  };

  // A part of the model, made ready once.

  function ready(name) {
    if (kept.has(name)) return kept.get(name);
    const raw = data.parts[name], count = raw.x.length;
    const byY = Array.from({ length: count }, (_, k) => k).sort((a, b) => raw.y[a] - raw.y[b]);
    const made = { ...raw, count, byY, strips: new Map(), long: [], reads: [], feeds: [],
      tallest: Math.max(0, ...new Set(raw.h)), seen: new Int32Array(raw.from.length), frame: 0 };
    for (let k = 0; k < count; k++) { made.reads.push([]); made.feeds.push([]); }
    raw.from.forEach((from, edge) => {
      const to = raw.to[edge];
      made.feeds[from].push(to);
      made.reads[to].push(from);
      const first = Math.floor(raw.y[from] / STRIP), last = Math.floor((raw.y[to] + raw.h[to]) / STRIP);
      if (last - first > 12) { made.long.push(edge); return; }
      for (let strip = first; strip <= last; strip++) {
        if (!made.strips.has(strip)) made.strips.set(strip, []);
        made.strips.get(strip).push(edge);
      }
    });
    kept.set(name, made);
    return made;
  }

  const titleOf = (box) => part.titles[box];
  const nodeOf = (box) => (part.node[box] < 0 ? null : data.nodes[part.node[box]]);
  const nameOf = (box) => { const node = nodeOf(box); return node ? node.name : titleOf(box); };

  function show(name, wanted = -1) {
    part = ready(name);
    path = name;
    selected = -1;
    lit = new Set();
    ways = "";
    trail();
    mark();
    colour();
    start();
    select(wanted, true);
  }

  function trail() {
    const steps = [];
    for (let at = path; at !== null; at = data.parts[at].around) steps.unshift(at);
    $("trail").replaceChildren();
    if (steps.length < 2) return;
    steps.forEach((step, k) => {
      const title = data.parts[step].title || "Main graph";
      if (k) $("trail").append(make("span", " › ", "dim"));
      $("trail").append(k < steps.length - 1 ? link(title, () => show(step)) : make("b", title));
    });
  }

  // What is drawn.

  function draw() {
    waiting = false;
    const ratio = devicePixelRatio || 1, wide = canvas.clientWidth, high = canvas.clientHeight;
    if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio)) {
      canvas.width = Math.round(wide * ratio);
      canvas.height = Math.round(high * ratio);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.setTransform(ratio * zoom, 0, 0, ratio * zoom, -left * zoom * ratio, -top * zoom * ratio);
    const area = [left, top, left + wide / zoom, top + high / zoom];
    if (zoom > 0.02) edges(area);
    boxes(area);
    $("level").textContent = `${zoom < 0.01 ? (100 * zoom).toFixed(1) : Math.round(100 * zoom)} %`;
  }
  const redraw = () => { if (!waiting) { waiting = true; requestAnimationFrame(draw); } };

  function inArea(area) {
    const { y, x, w, byY } = part, found = [];
    let low = 0, high = byY.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (y[byY[middle]] < area[1] - part.tallest) low = middle + 1; else high = middle;
    }
    for (let k = low; k < byY.length && y[byY[k]] <= area[3]; k++) {
      const box = byY[k];
      if (x[box] <= area[2] && x[box] + w[box] >= area[0]) found.push(box);
    }
    return found;
  }

  function edges(area) {
    const groups = [[], []], frame = ++part.frame;
    const take = (edge) => {
      if (part.seen[edge] === frame) return;
      part.seen[edge] = frame;
      const from = part.from[edge], to = part.to[edge];
      const bright = lit.size ? lit.has(from) && lit.has(to) : from === selected || to === selected;
      groups[bright ? 1 : 0].push(edge);
    };
    part.long.forEach(take);
    for (let strip = Math.floor(area[1] / STRIP); strip <= Math.floor(area[3] / STRIP); strip++) {
      (part.strips.get(strip) || []).forEach(take);
    }
    groups.forEach((group, bright) => {
      pen.strokeStyle = bright ? ink.accent : ink.edge;
      pen.lineWidth = (bright ? 2 : 1.2) * Math.max(1, 0.6 / zoom);
      pen.beginPath();
      group.forEach((edge) => line(edge, zoom > 0.25));
      pen.stroke();
    });
  }

  function line(edge, curved) {
    const from = part.from[edge], to = part.to[edge], bends = part.bends[edge];
    let x = part.x[from] + part.w[from] / 2, y = part.y[from] + part.h[from];
    pen.moveTo(x, y);
    for (let k = 0; k <= bends.length; k += 2) {
      const last = k === bends.length;
      const nx = last ? part.x[to] + part.w[to] / 2 : bends[k], ny = last ? part.y[to] : bends[k + 1];
      if (curved && nx !== x) pen.bezierCurveTo(x, (y + ny) / 2, nx, (y + ny) / 2, nx, ny);
      else pen.lineTo(nx, ny);
      x = nx;
      y = ny;
    }
  }

  function boxes(area) {
    const shown = inArea(area), texts = zoom > 0.35;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (const box of shown) {
      const x = part.x[box], y = part.y[box], w = part.w[box], h = part.h[box];
      const [fill, text] = paintOf(box);
      pen.fillStyle = fill;
      if (zoom < 0.15) {
        pen.fillRect(x, y, Math.max(w, 1 / zoom), Math.max(h, 1 / zoom));
      } else {
        pen.beginPath();
        pen.roundRect(x, y, w, h, 6);
        pen.fill();
      }
      if (texts) write(box, text);
      if (box === selected || lit.has(box) || hits.has(box)) outline(x, y, w, h, box);
    }
  }

  function outline(x, y, w, h, box) {
    pen.strokeStyle = hits.has(box) && box !== selected ? ink.hit : ink.accent;
    pen.lineWidth = (box === selected ? 3 : 2) / Math.min(1, zoom);
    pen.beginPath();
    pen.roundRect(x - 2, y - 2, w + 4, h + 4, 8);
    pen.stroke();
  }

  function write(box, colour) {
    const middle = part.x[box] + part.w[box] / 2, y = part.y[box], room = part.w[box] - 12;
    const opens = part.opens[box] ? " ▸" : "", value = overlay ? valueOf(box) : undefined;
    pen.fillStyle = colour;
    pen.font = "600 13px system-ui, 'DejaVu Sans', sans-serif";
    pen.fillText(fit(plain(titleOf(box)) + opens, room, 7.6), middle, y + 15, room);
    pen.font = "11px system-ui, 'DejaVu Sans', sans-serif";
    const second = value === undefined ? part.texts[box] : written(value);
    pen.fillText(fit(plain(second), room, 6), middle, y + 31, room);
    if (part.rows[box]) {
      pen.textAlign = "left";
      part.rows[box].forEach((text, k) => {
        pen.fillText(fit(plain(text), room, 6), part.x[box] + 10, y + 57 + 16 * k, room);
      });
      pen.textAlign = "center";
    }
  }

  const fit = (text, room, letter) => {
    const most = Math.floor(room / letter);
    return text.length <= most ? text : `${text.slice(0, Math.max(most - 1, 1))}…`;
  };

  function paintOf(box) {
    const value = overlay ? valueOf(box) : undefined;
    if (value !== undefined) {
      const colour = heat((value - overlay.least) / (overlay.most - overlay.least || 1));
      return [colour.text, colour.bright ? "#000" : "#fff"];
    }
    const kind = part.kind[box];
    if (overlay) return [ink.plain, "#fff"];
    return [data.fills[kind], kind === "terminal" ? "#1a1f29" : "#fff"];
  }

  const heats = new Map();
  function heat(share) {
    const step = Math.round(Math.min(Math.max(share, 0), 1) * 100);
    if (!heats.has(step)) {
      const place = (step / 100) * (SCALE.length - 1), low = Math.min(Math.floor(place), SCALE.length - 2);
      const rgb = [1, 3, 5].map((at) => {
        const [a, b] = [SCALE[low], SCALE[low + 1]].map((c) => parseInt(c.slice(at, at + 2), 16));
        return Math.round(a + (b - a) * (place - low));
      });
      const bright = 0.2126 * light(rgb[0]) + 0.7152 * light(rgb[1]) + 0.0722 * light(rgb[2]) > 0.179;
      heats.set(step, { text: `rgb(${rgb})`, bright });
    }
    return heats.get(step);
  }
  const light = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);

  // Where one looks.

  function bounded() {
    zoom = Math.min(Math.max(zoom, LEAST), MOST);
    const [wide, high] = part.size, halfX = canvas.clientWidth / 2 / zoom, halfY = canvas.clientHeight / 2 / zoom;
    left = Math.min(Math.max(left, -halfX), Math.max(wide - halfX, -halfX));
    top = Math.min(Math.max(top, -halfY), Math.max(high - halfY, -halfY));
    redraw();
  }
  function zoomTo(wanted, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const after = Math.min(Math.max(wanted, LEAST), MOST);
    left += x / zoom - x / after;
    top += y / zoom - y / after;
    zoom = after;
    bounded();
  }
  function fitting() {
    return Math.min((canvas.clientWidth - 60) / part.size[0], (canvas.clientHeight - 60) / part.size[1], 1);
  }
  function fitAll() {
    zoom = Math.max(fitting(), LEAST);
    left = part.size[0] / 2 - canvas.clientWidth / 2 / zoom;
    top = part.size[1] / 2 - canvas.clientHeight / 2 / zoom;
    redraw();
  }
  function start() {
    if (fitting() >= 0.6) { fitAll(); return; }
    zoom = 1;
    const first = part.byY[0] ?? 0;
    left = (part.x[first] ?? 0) + (part.w[first] ?? 0) / 2 - canvas.clientWidth / 2;
    top = -40;
    bounded();
  }
  function reveal(box) {
    const x = part.x[box] + part.w[box] / 2, y = part.y[box] + part.h[box] / 2;
    const wide = canvas.clientWidth / zoom, high = canvas.clientHeight / zoom;
    const inside = x > left + 80 / zoom && x < left + wide - 80 / zoom && y > top + 50 / zoom && y < top + high - 50 / zoom;
    if (zoom < 0.4) zoom = 1; else if (inside) return;
    left = x - canvas.clientWidth / 2 / zoom;
    top = y - canvas.clientHeight / 2 / zoom;
    bounded();
  }

  // Selection, inspector, paths.

  function select(box, shown) {
    if (box !== selected) { lit = new Set(); ways = ""; }
    selected = box;
    if (box >= 0 && shown) reveal(box);
    about();
    pressed();
    redraw();
  }

  function about() {
    const side = $("about");
    side.replaceChildren();
    if (selected < 0) {
      side.append(make("h1", data.title), make("p", data.summary, "dim"));
      side.append(make("p", "Select a node to see its attributes and types. Press ? for the keys.", "dim"));
      $("said").textContent = "Nothing selected";
      return;
    }
    const node = nodeOf(selected);
    side.append(make("h1", titleOf(selected)));
    const fields = make("dl");
    const field = (name, value) => fields.append(make("dt", name), make("dd", value));
    field("Name", nameOf(selected));
    if (node && node.domain) field("Domain", node.domain);
    if (!node) field("Type", part.texts[selected]);
    else if (part.kind[selected] === "block") field("Holds", part.texts[selected]);
    for (const one of data.overlays) {
      const value = one.values[part.node[selected]];
      if (value !== undefined) field(one.title, short(value, one.unit));
    }
    side.append(fields);
    for (const opened of part.opens[selected] || []) {
      side.append(make("p"), link(`Look into ${data.parts[opened].title}`, () => show(opened)));
    }
    if (node) {
      table(side, "Attributes", node.attributes);
      table(side, "Inputs", node.inputs, "stack");
      table(side, "Outputs", node.outputs, "stack");
    }
    neighbours(side, "Reads from", part.reads[selected]);
    neighbours(side, "Feeds", part.feeds[selected]);
    $("said").textContent = `${titleOf(selected)} ${nameOf(selected)}; ${part.reads[selected].length} before, ${part.feeds[selected].length} after`;
  }
  function table(side, title, rows, cls) {
    if (!rows.length) return;
    const list = make("dl", undefined, cls);
    for (const [name, value] of rows) {
      const cell = make("dd");
      cell.append(make("code", value));
      const term = make("dt", name);
      term.title = plain(name);
      list.append(term, cell);
    }
    side.append(make("h2", title), list);
  }
  function neighbours(side, title, others) {
    if (!others.length) return;
    side.append(make("h2", title));
    [...new Set(others)].slice(0, 20).forEach((box) => {
      const row = make("div");
      row.append(link(`${titleOf(box)} ${nameOf(box)}`, () => select(box, true)));
      side.append(row);
    });
    if (others.length > 20) side.append(make("p", `and ${others.length - 20} more`, "dim"));
  }

  function trace(wanted) {
    if (selected < 0) return;
    ways = wanted === ways ? "" : wanted;
    lit = new Set();
    for (const [way, next] of [["up", part.reads], ["down", part.feeds]]) {
      if (ways !== way && ways !== "both") continue;
      const stack = [selected], seen = new Set(stack);
      while (stack.length) for (const box of next[stack.pop()]) if (!seen.has(box)) { seen.add(box); stack.push(box); }
      seen.forEach((box) => lit.add(box));
    }
    pressed();
    redraw();
  }
  const pressed = () => ["up", "down", "both"].forEach((way) => {
    $(way).setAttribute("aria-pressed", String(ways === way));
    $(way).disabled = selected < 0;
  });

  // Overlays, their legend and their table.

  const valueOf = (box) => (part.node[box] < 0 ? undefined : overlay.values[part.node[box]]);
  const written = (value) => short(value, overlay.unit);
  function short(value, unit) {
    const [factor, prefix] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([one]) => Math.abs(value) >= one) || [1, ""];
    const number = prefix ? (value / factor).toPrecision(3) : String(Number(value.toPrecision(3)));
    return `${number} ${prefix}${prefix && unit.length > 1 ? " " : ""}${unit}`.trim();
  }
  function colour() {
    overlay = data.overlays[Number($("colours").value)] || null;
    if (overlay) {
      // A block holds the sum of its nodes: each part has a scale of its own.
      const known = part.node.map((node) => overlay.values[node]).filter((value) => value !== undefined);
      overlay.least = known.reduce((a, b) => Math.min(a, b), 0);
      overlay.most = known.reduce((a, b) => Math.max(a, b), 0);
    }
    const legend = $("legend");
    legend.replaceChildren();
    $("table").hidden = !overlay;
    if (overlay) {
      const scale = make("div");
      scale.id = "scale";
      scale.style.background = `linear-gradient(90deg, ${SCALE.join(",")})`;
      const ends = make("div", `${written(overlay.least)} … ${written(overlay.most)}`);
      legend.append(make("div", overlay.title), scale, ends);
    } else {
      new Set(part.kind).forEach((kind) => {
        const row = make("div"), swatch = make("i");
        swatch.style.background = data.fills[kind];
        row.append(swatch, data.kinds[kind]);
        legend.append(row);
      });
    }
    if ($("table").getAttribute("aria-pressed") === "true") list();
    redraw();
  }

  // The list at the left: results of a search, or the numbers of an overlay.

  let results = [], current = -1;
  function list() {
    const asked = $("find").value.trim(), ranked = $("table").getAttribute("aria-pressed") === "true" && overlay;
    const side = $("list");
    side.hidden = !asked && !ranked;
    results = asked ? search(asked) : ranked ? rank() : [];
    current = -1;
    side.replaceChildren(make("p", results.length ? `${results.length} ${asked ? "found" : "nodes"}` : "Nothing found", "dim"));
    results.slice(0, SHOWN).forEach((one, k) => {
      const item = make("button"), node = data.nodes[one.node];
      item.append(make("span", one.aside, "dim"), make("b", node.operator), make("small", node.name, "dim"));
      item.title = plain(`${node.name}\n${one.aside}`);
      item.onclick = () => { current = k; go(); };
      side.append(item);
    });
    if (results.length > SHOWN) side.append(make("p", `and ${results.length - SHOWN} more`, "dim"));
    mark();
  }
  let blobs = null;
  function search(asked) {
    const words = asked.toLowerCase().replaceAll("×", "x").split(/\s+/);
    blobs = blobs || data.nodes.map((node) => [node.operator, node.name, ...node.attributes, ...node.inputs, ...node.outputs]
      .map((one) => (Array.isArray(one) ? `${one[0]}=${one[1]}` : one)).join("\n").toLowerCase().replaceAll("×", "x"));
    const found = [];
    blobs.forEach((blob, node) => {
      if (data.home[node] === null || !words.every((word) => blob.includes(word))) return;
      const { operator, name } = data.nodes[node], first = words[0];
      const rank = operator.toLowerCase() === first ? 0 : operator.toLowerCase().includes(first) ? 1 : name.toLowerCase().includes(first) ? 2 : 3;
      found.push({ node, rank, aside: data.parts[home(node)[0]].title });
    });
    return found.sort((a, b) => a.rank - b.rank || a.node - b.node);
  }
  function rank() {
    const found = [];
    part.node.forEach((node) => { if (node >= 0 && overlay.values[node] !== undefined) found.push(node); });
    found.sort((a, b) => overlay.values[b] - overlay.values[a]);
    return found.map((node) => ({ node, aside: written(overlay.values[node]) }));
  }
  // In which part, and as which box of it, a node is shown: folded or not.
  const home = (node) => (data.folded && !whole && data.inner[node]) || data.home[node];
  function go() {
    const one = results[current];
    if (!one) return;
    const at = part.node.indexOf(one.node);
    const [where, box] = at >= 0 ? [path, at] : home(one.node);
    if (where === path) select(box, true); else show(where, box);
    [...$("list").querySelectorAll("button")].forEach((item, k) => {
      item.setAttribute("aria-current", String(k === current));
      if (k === current) item.scrollIntoView({ block: "nearest" });
    });
  }
  function mark() {
    const found = new Set($("find").value.trim() ? results.map((one) => one.node) : []);
    hits = new Set();
    part.node.forEach((node, box) => { if (found.has(node)) hits.add(box); });
    redraw();
  }

  // Blocks or all nodes.

  let whole = !data.folded;
  function level() {
    $("fold").hidden = !data.folded;
    $("fold").textContent = whole ? "Show blocks" : "Show all nodes";
  }
  function flip() {
    whole = !whole;
    level();
    show(whole ? "" : data.folded);
  }
  function leave() {
    const around = part.around;
    if (around === null) return;
    const here = path, parent = data.parts[around];
    show(around, parent.opens.findIndex((one) => one && one.includes(here)));
  }

  // Hands.

  let held = null, moved = false;
  canvas.addEventListener("pointerdown", (event) => {
    held = [event.clientX, event.clientY];
    moved = false;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return;
    const x = event.clientX - held[0], y = event.clientY - held[1];
    if (!moved && Math.abs(x) + Math.abs(y) < 5) return;
    moved = true;
    held = [event.clientX, event.clientY];
    left -= x / zoom;
    top -= y / zoom;
    bounded();
  });
  const under = (event) => {
    const frame = canvas.getBoundingClientRect();
    const x = left + (event.clientX - frame.left) / zoom, y = top + (event.clientY - frame.top) / zoom;
    return inArea([x, y, x, y]).find((box) => y >= part.y[box] && y <= part.y[box] + part.h[box]) ?? -1;
  };
  canvas.addEventListener("pointerup", (event) => {
    if (held && !moved) select(under(event), false);
    held = null;
  });
  const enter = (box) => { const opened = box >= 0 && part.opens[box]; if (opened) show(opened[0]); return Boolean(opened); };
  canvas.addEventListener("dblclick", (event) => {
    const frame = canvas.getBoundingClientRect();
    if (!enter(under(event))) zoomTo(zoom < 0.9 ? 1 : zoom * 1.5, event.clientX - frame.left, event.clientY - frame.top);
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const frame = canvas.getBoundingClientRect(), unit = event.deltaMode === 1 ? 33 : 1;
    if (event.ctrlKey) {
      zoomTo(zoom * Math.exp(-event.deltaY * unit * 0.002), event.clientX - frame.left, event.clientY - frame.top);
      return;
    }
    left += ((event.shiftKey ? event.deltaY : event.deltaX) * unit) / zoom;
    top += ((event.shiftKey ? 0 : event.deltaY) * unit) / zoom;
    bounded();
  }, { passive: false });

  const beside = (way) => {
    const x = part.x[selected] + part.w[selected] / 2, y = part.y[selected] + part.h[selected] / 2;
    const row = inArea([0, y - 20, part.size[0], y + 20]).filter((box) => (part.x[box] + part.w[box] / 2 - x) * way > 0);
    return row.sort((a, b) => Math.abs(part.x[a] - part.x[selected]) - Math.abs(part.x[b] - part.x[selected]))[0] ?? selected;
  };
  const step = (next) => (next.length ? next[0] : selected);
  const travel = {
    ArrowUp: () => step(part.reads[selected]), ArrowDown: () => step(part.feeds[selected]),
    ArrowLeft: () => beside(-1), ArrowRight: () => beside(1),
  };
  const pan = { ArrowUp: [0, -60], ArrowDown: [0, 60], ArrowLeft: [-60, 0], ArrowRight: [60, 0], PageUp: [0, -500], PageDown: [0, 500] };
  const KEYS = [
    ["↑ ↓ ← →", "Along the edges, and to the node beside", null],
    ["Shift and arrows", "Pan; so does the wheel, Ctrl and wheel zooms", null],
    ["Enter", "Into a block", () => enter(selected)], ["Backspace", "Out of it", leave],
    ["A", "All ancestors", () => trace("up")], ["D", "All descendants", () => trace("down")],
    ["S", "Both", () => trace("both")], ["X", "Put the path out", () => { ways = "x"; trace("x"); }],
    ["F", "The whole graph", fitAll], ["0", "100 %", () => zoomTo(1)],
    ["+", "Zoom in", () => zoomTo(zoom * 1.25)], ["-", "Zoom out", () => zoomTo(zoom * 0.8)],
    ["B", "Blocks or all nodes", () => data.folded && flip()],
    ["/", "Find a node", () => $("find").focus()], ["?", "These keys", () => { $("keys").hidden = !$("keys").hidden; }],
    ["Escape", "Close, put out, select nothing", () => {
      if (!$("keys").hidden) $("keys").hidden = true; else if (ways) trace(ways); else select(-1);
    }],
  ];
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    if (travel[key] && selected >= 0 && !event.shiftKey) {
      select(travel[key](), true);
    } else if (pan[key]) {
      left += pan[key][0] / zoom;
      top += pan[key][1] / zoom;
      bounded();
    } else {
      const known = KEYS.find(([name, , run]) => run && name === key);
      if (!known) return;
      known[2]();
    }
    event.preventDefault();
  });
  $("find").addEventListener("input", () => { clearTimeout($("find").pause); $("find").pause = setTimeout(list, 120); });
  $("find").addEventListener("keydown", (event) => {
    const way = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (way) {
      const most = Math.min(results.length, SHOWN);
      current = most ? (current < 0 && way < 0 ? most - 1 : (current + way + most) % most) : -1;
      go();
    } else if (event.key === "Escape") {
      $("find").value = "";
      list();
      canvas.focus();
    } else return;
    event.preventDefault();
  });
  const on = (id, run) => $(id).addEventListener("click", run);
  ["up", "down", "both"].forEach((way) => on(way, () => trace(way)));
  on("none", () => ways && trace(ways));
  on("help", () => { $("keys").hidden = !$("keys").hidden; });
  on("keys", () => { $("keys").hidden = true; });
  on("in", () => zoomTo(zoom * 1.25));
  on("out", () => zoomTo(zoom * 0.8));
  on("level", () => zoomTo(1));
  on("fit", fitAll);
  on("fold", flip);
  on("table", () => {
    $("table").setAttribute("aria-pressed", String($("table").getAttribute("aria-pressed") !== "true"));
    list();
  });
  $("colours").addEventListener("change", colour);
  const dress = () => { ["accent", "edge", "hit", "plain"].forEach((name) => { ink[name] = css(name); }); redraw(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  new ResizeObserver(redraw).observe(canvas);

  const keys = make("dl");
  KEYS.forEach(([name, text]) => keys.append(make("dt", name), make("dd", text)));
  $("keys").append(keys);
  $("count").textContent = data.counted;
  $("colours").append(new Option("Operators", "-1"), ...data.overlays.map((one, k) => new Option(one.title, String(k))));
  $("colours").value = String(data.shown);
  dress();
  level();
  show(data.folded || "");
  canvas.focus();
})();
