// The page of refusals: reads the stream with the token in the Authorization header, which it keeps in memory alone.

import { badge, byId, drawing, element, facts, prose } from "./dom.js";
import { logIn } from "./pkce.js";

const MOST = 500;
const AGAIN = 3000; // milliseconds until a stream that broke is opened again
const base = new URL("refusals/", location.href);

let token = "";
let reading = null; // what ends the stream
let refusals = []; // newest first
let counts = [];
let open = new Set(); // the numbers of those whose reason is shown
let paused = false;
let cures = {};

function say(text, tone = "") {
  byId("state").textContent = text;
  byId("state").className = `state ${tone}`;
}

function complain(text) {
  byId("message").textContent = text;
}

// --- the stream

async function read() {
  const ending = new AbortController();
  reading?.abort();
  reading = ending;
  complain("");
  say("connecting …");
  try {
    const response = await fetch(new URL("stream", base), {
      headers: { authorization: `Bearer ${token}` }, credentials: "omit", cache: "no-store", redirect: "error", signal: ending.signal,
    });
    if (!response.ok) return refused(response.status);
    byId("access").hidden = true;
    byId("shown").hidden = false;
    say("live", "live");
    await each(response.body, (first, told) => {
      refusals = first ? told.refusals : [...told.refusals, ...refusals].slice(0, MOST);
      counts = told.counts;
      if (paused) return;
      if (first || told.refusals.length) show();
      else showCounts(); // rows that did not change keep what a reader has marked in them
    });
  } catch (error) {
    if (ending.signal.aborted) return undefined;
    console.warn(error.message);
  }
  say("interrupted, trying again …", "wrong");
  setTimeout(() => reading === ending && read(), AGAIN);
  return undefined;
}

async function each(stream, take) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let first = true;
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      take(first, JSON.parse(line));
      first = false;
    }
  }
}

function refused(status) {
  const why = {
    401: "The token is not, or no longer, valid here. Log in or paste another one.",
    403: "This token is valid, but its owner lacks the role admin.",
    429: "Too many bad tokens have come from your network address: wait a minute.",
    503: "The server can't judge tokens at the moment: its issuer can't be reached.",
  };
  forget();
  complain(why[status] ?? `The server answers ${status}.`);
  byId("token").focus();
}

function forget() {
  reading?.abort();
  reading = null;
  token = "";
  refusals = [];
  counts = [];
  open = new Set();
  byId("token").value = "";
  byId("access").hidden = false;
  byId("shown").hidden = true;
  byId("rows").replaceChildren();
  complain("");
  say("not connected");
}

// --- what is shown

function show() {
  showCounts();
  showKinds();
  showRows();
}

function showCounts() {
  const minutes = Number(document.querySelector("[name=window]:checked").value);
  const found = counts.find((one) => one.minutes === minutes) ?? { granted: 0, refused: {} };
  const kinds = Object.entries(found.refused);
  const most = Math.max(1, ...kinds.map(([, count]) => count));
  byId("granted").textContent = found.granted.toLocaleString();
  byId("refused").textContent = kinds.reduce((sum, [, count]) => sum + count, 0).toLocaleString();
  byId("no-counts").hidden = kinds.length > 0;
  const focused = document.activeElement?.closest?.("#bars button")?.dataset.kind;
  byId("bars").replaceChildren(...kinds.map(([kind, count]) => bar(kind, count, most)));
  if (focused) byId("bars").querySelector(`[data-kind="${CSS.escape(focused)}"]`)?.focus();
}

function bar(kind, count, most) {
  const chart = drawing("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    drawing("rect", { width: Math.max(1, (100 * count) / most), height: 10, rx: 1 }));
  const chosen = byId("kind").value === kind;
  return element("li", {}, element("button", {
    type: "button", "data-kind": kind, "aria-pressed": String(chosen), click: () => choose(chosen ? "" : kind),
  }, element("span", { class: "name mono" }, kind), chart, element("span", { class: "count" }, count.toLocaleString())));
}

function choose(kind) {
  if (kind && ![...byId("kind").options].some((option) => option.value === kind)) {
    byId("kind").append(element("option", { value: kind }, kind));
  }
  byId("kind").value = kind;
  show();
}

function showKinds() {
  const chosen = byId("kind").value;
  const kinds = [...new Set([...refusals.map((one) => one.kind), ...(chosen ? [chosen] : [])])].sort();
  const known = [...byId("kind").options].slice(1).map((option) => option.value);
  if (kinds.join() === known.join()) return; // or else an open list would close under the reader's hand
  byId("kind").replaceChildren(element("option", { value: "" }, "all kinds"),
    ...kinds.map((kind) => element("option", { value: kind }, kind)));
  byId("kind").value = chosen;
}

function showRows() {
  const kind = byId("kind").value;
  const words = byId("search").value.trim().toLowerCase();
  const matching = refusals.filter((one) => (!kind || one.kind === kind) && (!words || text(one).includes(words)));
  const focused = document.activeElement?.closest?.("#rows tr")?.dataset.number;
  byId("rows").replaceChildren(...matching.flatMap((one) => [row(one), ...(open.has(one.number) ? [reason(one)] : [])]));
  if (focused) byId("rows").querySelector(`tr[data-number="${focused}"] button`)?.focus({ preventScroll: true });
  byId("no-rows").hidden = matching.length > 0;
  const all = refusals.length;
  const said = matching.length === all ? `${all} refusals` : `${matching.length} of ${all} refusals`;
  if (byId("number").textContent !== said) byId("number").textContent = said;
}

function text(one) {
  return [one.method, one.route, one.client, one.client_id, one.issuer, one.token, one.reason, one.status]
    .filter(Boolean).join(" ").toLowerCase();
}

function row(one) {
  const opened = open.has(one.number);
  const time = new Date(one.time);
  const press = element("button", {
    type: "button", class: "open-row mono", "aria-expanded": String(opened), "aria-controls": opened ? `why-${one.number}` : undefined,
  }, one.kind);
  return element("tr", { class: opened ? "one open" : "one", "data-number": one.number, click: () => toggle(one.number) },
    element("td", { class: "time" }, element("time", { datetime: one.time, title: one.time }, time.toLocaleTimeString())),
    element("td", { class: "status" }, badge(one.status)),
    element("td", { class: "kind" }, press),
    element("td", { class: "route mono" }, `${one.method ?? ""} ${one.route ?? "(no route)"}`),
    element("td", { class: "wide mono" }, one.client_id ?? "–"),
    element("td", { class: "wide mono" }, one.client ?? "–"));
}

function toggle(number) {
  if (getSelection()?.toString()) return; // who marks text does not want the row to move
  if (!open.delete(number)) open.add(number);
  showRows();
}

function reason(one) {
  const unknown = one.token ? "not known: nothing had vouched for the token by then" : "no token was read";
  const code = (value) => (value ? element("code", {}, value) : undefined);
  return element("tr", { class: "why", id: `why-${one.number}` }, element("td", { colspan: 6 },
    facts([
      ["Why", one.reason || "there is nothing more to say"],
      ["Client", code(one.client_id) ?? unknown],
      ["Issuer", code(one.issuer) ?? unknown],
      ["Address", code(one.client) ?? "unknown"],
      ["Token", code(one.token) ? [code(one.token), " (a digest; the audit has the same)"] : "none was read"],
      ["At", one.time],
    ]),
    element("p", { class: "cure" }, element("strong", {}, "The cure. "), ...prose(cures[one.kind] ?? "")),
    element("p", { class: "soft cure" }, "More in ", element("code", {}, `docs/refusals.md#${one.kind}`))));
}

// --- what a person does

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token").value.trim().replace(/^bearer\s+/i, "");
  byId("token").value = "";
  if (token) read();
});
byId("forget").addEventListener("click", () => {
  forget();
  byId("token").focus();
});
byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").textContent = paused ? "Go on" : "Pause";
  byId("pause").setAttribute("aria-pressed", String(paused));
  if (token) say(paused ? "paused" : "live", paused ? "" : "live");
  if (!paused) show();
});
byId("window").addEventListener("change", showCounts);
byId("kind").addEventListener("change", show);
byId("search").addEventListener("input", showRows);

const login = document.body.dataset.login ? JSON.parse(document.body.dataset.login) : null;
if (login) {
  byId("login").hidden = false;
  byId("login").addEventListener("click", async () => {
    complain("");
    try {
      token = await logIn(login, new URL("login", base).href);
      read();
    } catch (error) {
      complain(error.message);
    }
  });
}
cures = await fetch(new URL("cures.json", base)).then((answer) => answer.json());
