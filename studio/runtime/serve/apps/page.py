"""The page of an app, served by the board: pictures, counts, trend and health."""

from __future__ import annotations

_POLICY = (
    "default-src 'none'",
    "img-src 'self' blob:",
    "connect-src 'self'",
    "style-src 'unsafe-inline'",
    "script-src 'unsafe-inline'",
    "frame-ancestors 'none'",
)

PAGE_HEADERS = (
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Content-Security-Policy: {}\r\n"
).format("; ".join(_POLICY))

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --dim: #888; --ok: #2ea043; --bad: #cf222e; }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 1200px; margin: 0 auto; padding: 16px; }
header { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: baseline; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 15px; margin: 24px 0 8px; }
.dim { color: var(--dim); } .bad { color: var(--bad); } .ok { color: var(--ok); }
.notice { border: 1px solid var(--bad); border-radius: 6px; padding: 8px 12px; width: 100%; }
.grid { display: grid; gap: 16px; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); }
.card { border: 1px solid var(--line); border-radius: 8px; padding: 12px; overflow: hidden; }
.card img { width: 100%; border-radius: 4px; display: block; background: #0002; }
.numbers { display: flex; flex-wrap: wrap; gap: 12px; }
.number { border: 1px solid var(--line); border-radius: 8px; padding: 8px 16px; min-width: 120px; }
.number b { display: block; font-size: 26px; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td, th { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); }
svg { width: 100%; height: 90px; display: block; } rect { fill: #0969da; }
form { display: none; gap: 8px; } input, button { font: inherit; padding: 4px 8px; }
"""

_SCRIPT = """
"use strict";
const $ = id => document.getElementById(id);
const read = key => sessionStorage.getItem(key) || "";
const make = (name, text, kind) => {
  const found = document.createElement(name);
  found.textContent = text; if (kind) found.className = kind; return found;
};
let events = [], newest = "", preview = null, shown = Object.create(null);
async function get(path) {
  const token = read("token");
  const found = await fetch(path, token ? {headers: {Authorization: "Bearer " + token}} : {});
  $("login").style.display = found.status === 401 ? "flex" : "none";
  if (!found.ok) throw new Error((await found.json().catch(() => ({}))).error || found.status);
  return found;
}
function numbers(status) {
  const rows = Object.entries(status.events || {}).map(([name, count]) => [name, count]);
  const latency = (status.latency_ms || {}).p95;
  rows.push(["frames a second", (status.fps || 0).toFixed(1)]);
  rows.push(["frame to event, p95", latency == null ? "-" : latency.toFixed(0) + " ms"]);
  $("numbers").replaceChildren(...rows.map(([name, value]) => {
    const box = make("div", "", "number"); box.append(make("b", value), name); return box;
  }));
}
function sources(status) {
  const streams = Object.create(null);
  for (const [name, one] of Object.entries(status.streams || {})) streams[one.source] = name;
  for (const [name, one] of Object.entries(status.sources || {})) {
    if (!shown[name]) {
      const card = make("div", "", "card"), picture = document.createElement("img");
      picture.alt = "newest frame of " + name;
      const state = make("div", ""); card.append(state, picture);
      $("sources").append(card); shown[name] = {state, picture};
    }
    const fine = one.state === "running" || one.state === "ended";
    const words = [one.fps + " frames a second", one.dropped + " dropped"];
    if (one.lost) words.push("lost " + one.lost + " times");
    shown[name].state.replaceChildren(make("b", name + " "),
      make("span", one.state + (one.reason ? ": " + one.reason : ""), fine ? "ok" : "bad"),
      make("div", words.join(", "), "dim"));
    shown[name].picture.hidden = !(preview && preview.allowed);
    live(shown[name], streams[name], status.streams || {});
  }
}
function live(one, stream, streams) {
  // A picture of a page cannot carry a token: with one, single pictures are fetched.
  const wanted = Boolean(stream && preview && preview.allowed && !read("token"));
  if (wanted && (one.refused || (one.live && streams[stream].clients))) return;
  one.live = wanted;
  if (!wanted) return;
  one.picture.onerror = () => { one.live = false; one.refused = true; };
  one.picture.src = "/edgewright/app/stream/" + encodeURIComponent(stream) + "?" + Date.now();
}
function trend() {
  const now = Date.now() / 1000, bins = new Array(60).fill(0);
  for (const one of events) {
    const at = 59 - Math.floor((now - one.time) / 60);
    if (at >= 0 && at < 60) bins[at] += 1;
  }
  const most = Math.max(1, ...bins), space = "http://www.w3.org/2000/svg";
  $("trend").replaceChildren(...bins.map((count, at) => {
    const bar = document.createElementNS(space, "rect"), height = 80 * count / most;
    for (const [key, value] of Object.entries({x: at * 10, y: 85 - height, width: 8, height}))
      bar.setAttribute(key, value);
    return bar;
  }));
  $("most").textContent = most;
}
function words(value) {
  if (Array.isArray(value)) return value.map(words).join(" ");
  if (value === null || typeof value !== "object") return String(value);
  return Object.entries(value).map(([key, part]) => key + " " + words(part)).join(" ");
}
function list() {
  const known = ["id", "kind", "source", "step", "time", "at_s", "frame"];
  $("events").replaceChildren(...events.slice(-50).reverse().map(one => {
    const row = document.createElement("tr");
    const rest = Object.entries(one).filter(([key]) => !known.includes(key))
      .map(([key, value]) => key + " " + words(value)).join(", ");
    row.append(make("td", new Date(one.time * 1000).toLocaleTimeString()),
      make("td", one.source), make("td", one.step + ": " + one.kind), make("td", rest));
    return row;
  }));
}
async function look() {
  try {
    const status = await (await get("/edgewright/app")).json();
    document.title = $("title").textContent = status.title || status.name || "App";
    $("notice").textContent = status.notice || ""; $("notice").hidden = !status.notice;
    $("fault").textContent = status.fault || ""; preview = status.preview;
    numbers(status); sources(status);
    const path = "/edgewright/app/events?limit=1000" +
      (newest ? "&after=" + encodeURIComponent(newest) : "");
    const found = (await (await get(path)).json()).events;
    if (found.length) { newest = found[found.length - 1].id; events.push(...found); }
    events = events.slice(-5000); trend(); list();
  } catch (error) { $("fault").textContent = String(error.message || error); }
  setTimeout(look, 1000);
}
async function pictures() {
  if (preview && preview.allowed && !document.hidden) {
    for (const [name, one] of Object.entries(shown)) {
      if (one.live) continue;
      try {
        const path = "/edgewright/app/preview?source=" + encodeURIComponent(name);
        const url = URL.createObjectURL(await (await get(path)).blob());
        URL.revokeObjectURL(one.picture.src); one.picture.src = url;
      } catch (error) { continue; }
    }
  }
  setTimeout(pictures, preview ? 1000 / preview.fps : 500);
}
$("login").addEventListener("submit", event => {
  event.preventDefault(); sessionStorage.setItem("token", $("token").value.trim());
});
look(); pictures();
"""

_BODY = """
<header><h1 id="title">App</h1><span id="fault" class="bad" role="status"></span>
<div id="notice" class="notice" hidden></div>
<form id="login"><label>Access token <input id="token" type="password" autocomplete="off"></label>
<button>Show</button></form></header>
<main><div id="numbers" class="numbers"></div>
<h2>Sources</h2><div id="sources" class="grid"></div>
<h2>Events a minute, the last hour <span class="dim">(most <span id="most">0</span>)</span></h2>
<svg id="trend" viewBox="0 0 600 90" preserveAspectRatio="none" role="img"
 aria-label="events a minute"></svg>
<h2>Newest events</h2><table><thead><tr><th>Time<th>Source<th>Event<th>Details</thead>
<tbody id="events"></tbody></table></main>
"""

PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>App</title>'
    "<style>{}</style></head><body>{}<script>{}</script></body></html>"
).format(_STYLE, _BODY, _SCRIPT)
