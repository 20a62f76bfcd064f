// The playground: tokens travel in the bodies of requests to this origin, and stay in this page.

import { badge, byId, element, prose } from "./dom.js";

const choices = JSON.parse(document.body.dataset.choices);
const base = new URL("playground/", location.href);
const HOUR = 3600;

const FAULTS = {
  expired: (_header, claims) => Object.assign(claims, { iat: now() - 2 * HOUR, exp: now() - HOUR }),
  "not yet valid": (_header, claims) => Object.assign(claims, { nbf: now() + HOUR }),
  "another audience": (_header, claims) => Object.assign(claims, { aud: "https://orders.example.com" }),
  "issuer with a slash": (_header, claims) => Object.assign(claims, { iss: `${claims.iss}/` }),
  "an ID token": (header, claims) => Object.assign(header, { typ: "JWT" }) && Object.assign(claims, { nonce: "n-0S6_WzA2Mj" }),
  "alg none": (header) => Object.assign(header, { alg: "none" }),
  "unknown kid": (header) => Object.assign(header, { kid: "another-key" }),
  "no client_id": (_header, claims) => delete claims.client_id,
  "scope as an array": (_header, claims) => Object.assign(claims, { scope: String(claims.scope ?? "").split(" ") }),
  "bound to a key": (_header, claims) => Object.assign(claims, { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }),
};

let cures = {};
let asked = 0; // counts the questions: only the last one's answer is shown

const now = () => Math.floor(Date.now() / 1000);

async function post(name, value) {
  const response = await fetch(new URL(name, base), {
    method: "POST", credentials: "omit", cache: "no-store", redirect: "error",
    headers: { "content-type": "application/json" }, body: JSON.stringify(value),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`The playground says: ${answer.problem}.`);
  return answer;
}

// Does something that may fail, and says so.
async function attempt(action) {
  byId("message").textContent = "";
  try {
    await action();
  } catch (error) {
    byId("message").textContent = error instanceof TypeError ? "The server can't be reached." : error.message;
  }
}

// --- making a token

const holder = () => choices.holders.find((one) => one.name === byId("account").value);

function showHolder() {
  const { clients, scopes } = holder();
  byId("client").replaceChildren(...clients.map((name) => element("option", { value: name }, name)));
  for (const box of byId("scopes").querySelectorAll("input")) {
    box.disabled = !scopes.includes(box.value);
    box.checked = !box.disabled;
  }
}

async function mint() {
  const scopes = [...byId("scopes").querySelectorAll(":checked")].map((box) => box.value);
  await take(await post("mint", { account: byId("account").value, client: byId("client").value, scopes }));
}

async function sign(forged) {
  await take(await post("sign", { header: byId("header").value, claims: byId("claims").value, forged }));
}

async function take({ token }) {
  byId("token").value = token;
  await explain();
}

async function breakSignature() {
  const token = byId("token").value.trim();
  const at = token.lastIndexOf(".") + 1;
  if (!at || at >= token.length) throw new Error("There is no signature to break.");
  await take({ token: token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1) });
}

async function spoil(change) {
  let header;
  let claims;
  try {
    header = JSON.parse(byId("header").value);
    claims = JSON.parse(byId("claims").value);
  } catch {
    throw new Error("Header and claims must be JSON for that: mint a token first.");
  }
  change(header, claims);
  byId("header").value = JSON.stringify(header, null, 2);
  byId("claims").value = JSON.stringify(claims, null, 2);
  await sign(false);
}

// --- asking

const route = () => choices.routes.find((one) => one.name === byId("route").value);

function showRoute() {
  const { requires, parameters, content } = route();
  byId("requires").textContent = `Requires ${requires}.`;
  byId("parameters").hidden = Object.keys(parameters).length === 0;
  byId("parameters").replaceChildren(...Object.entries(parameters).map(([name, value]) => element("div", { class: "grow" },
    element("label", { for: `parameter-${name}` }, name),
    element("input", { id: `parameter-${name}`, "data-name": name, value, autocomplete: "off", spellcheck: "false" }))));
  byId("content-field").hidden = !content;
  byId("content").value = content;
}

async function explain() {
  const number = ++asked;
  const parameters = Object.fromEntries([...byId("parameters").querySelectorAll("input")].map((one) => [one.dataset.name, one.value]));
  const sent = { token: byId("token").value.trim(), route: byId("route").value, parameters, content: byId("content").value };
  const told = await post("explain", sent);
  if (number !== asked) return;
  byId("header").value = told.header;
  byId("claims").value = told.claims;
  show(told, sent, number);
}

function show(told, sent, number) {
  byId("result").hidden = false;
  const { status, phrase } = told.response;
  byId("verdict").replaceChildren(badge(status), element("span", {}, told.kind ? `${phrase}: ${told.kind}` : `${phrase}: granted`));
  byId("checks").replaceChildren(...told.checks.map(line));
  byId("checks").hidden = told.checks.length === 0;
  byId("kind").replaceChildren(...(told.kind ? [
    element("h3", {}, "What to do"),
    element("p", {}, ...prose(cures[told.kind] ?? "")),
    element("p", { class: "soft" }, "More in ", element("code", {}, `docs/refusals.md#${told.kind}`)),
  ] : []));
  byId("response").textContent = response(told.response);
  byId("curl").textContent = curl(told.path, sent);
  if (number > 1 && matchMedia("(max-width: 61.99rem)").matches) byId("result").scrollIntoView(); // it is far below
}

function line(check) {
  const facts = check.passed
    ? [["", check.found]]
    : [["token", check.found], ["config", check.expected], ["fix", check.cure]];
  const list = element("dl", {});
  for (const [name, value] of facts) {
    if (value && name) list.append(element("dt", {}, name), element("dd", { class: name === "fix" ? "" : "mono" }, value));
  }
  return element("li", { class: check.passed ? "" : "failed" },
    element("span", { class: "mark", role: "img", "aria-label": check.passed ? "passed" : "failed" }, check.passed ? "✔" : "✘"),
    element("span", { class: "what" }, check.name),
    check.passed ? element("span", { class: "mono found" }, check.found || "as they must be") : list);
}

function response({ status, phrase, headers, body, cut }) {
  const head = [`HTTP/1.1 ${status} ${phrase}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return `${head.join("\n")}\n\n${body}${cut ? "\n… (more follows: this is a stream, or too long to show)" : ""}`;
}

function curl(path, sent) {
  const [method] = sent.route.split(" ");
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const words = ["curl -i"];
  if (method !== "GET") words.push(`-X ${method}`);
  if (sent.token) words.push(`-H ${quoted(`Authorization: Bearer ${sent.token}`)}`);
  if (sent.content) words.push("-H 'content-type: application/json'", `-d ${quoted(sent.content)}`);
  return [...words, quoted(location.origin + path)].join(" \\\n  ");
}

// --- what a person does

byId("account").append(...choices.holders.map(({ name, roles }) => element("option", { value: name },
  roles.length ? `${name} (${roles.join(", ")})` : `${name} (no user)`)));
byId("scopes").append(...choices.scopes.map((name) => element("label", {},
  element("input", { type: "checkbox", value: name, id: `scope-${name}` }), element("span", { class: "mono" }, name))));
byId("route").append(...choices.routes.map(({ name }) => element("option", { value: name }, name)));
byId("route").value = "GET /orders";
byId("faults").append(...Object.entries(FAULTS).map(([name, change]) => element("button", {
  type: "button", class: "plain small", "data-fault": name, click: () => attempt(() => spoil(change)),
}, name)));

byId("account").addEventListener("change", showHolder);
byId("route").addEventListener("change", () => {
  showRoute();
  attempt(explain);
});
byId("mint").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(mint);
});
byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(explain);
});
byId("token").addEventListener("change", () => attempt(explain));
byId("sign").addEventListener("click", () => attempt(() => sign(false)));
byId("forge").addEventListener("click", () => attempt(() => sign(true)));
byId("break").addEventListener("click", () => attempt(breakSignature));
byId("copy").addEventListener("click", () => attempt(async () => {
  await navigator.clipboard.writeText(byId("curl").textContent);
  byId("state").textContent = "copied";
}));

showHolder();
showRoute();
await attempt(async () => {
  cures = await fetch(new URL("cures.json", base)).then((answer) => answer.json());
  await mint();
});
