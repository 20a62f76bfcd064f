// The sample client's page: buttons, and what came of them.

import { Api } from "./api.js";
import { Session } from "./session.js";

const { issuer, clientId } = document.body.dataset;
const session = new Session({
  issuer,
  clientId,
  redirectUri: `${location.origin}/app`,
  resource: location.origin,
});
const log = document.querySelector("#log");
const answer = document.querySelector("#answer");
const who = document.querySelector("#who");
const api = new Api(session, { tell });

const CALLS = {
  orders: { path: "/orders" },
  order: { method: "POST", path: "/orders", body: { item: "lamp", quantity: 1 } },
  users: { path: "/api/v1/users" },
  dashboard: { path: "/admin/dashboard" },
};

function tell(sentence) {
  const line = document.createElement("li");
  line.textContent = sentence;
  log.append(line);
  line.scrollIntoView({ block: "nearest" });
}

function showUser() {
  who.textContent = session.accessToken === null ? "nobody is logged in" : `logged in, with ${[...session.scope].join(" ") || "no scope"}`;
  document.querySelector("#spoil").disabled = session.accessToken === null;
  document.querySelector("#logout").disabled = session.accessToken === null;
}

async function call(request, options) {
  const what = `${request.method ?? "GET"} ${request.path}`;
  document.body.ariaBusy = "true";
  try {
    const response = await api.call(request, options);
    tell(`${what}: ${response.status}`);
    const text = await response.text();
    answer.textContent = text === "" ? "" : JSON.stringify(JSON.parse(text), null, 2);
  } catch (error) {
    tell(`${what}: ${error.message}`);
  } finally {
    document.body.ariaBusy = "false";
    showUser();
  }
}

for (const [id, request] of Object.entries(CALLS)) {
  document.querySelector(`#${id}`).addEventListener("click", () => call(request));
}
document.querySelector("#login").addEventListener("click", () => session.logIn(new Set()));
document.querySelector("#spoil").addEventListener("click", () => {
  session.spoil();
  tell("The token was spoilt: the next call will be refused with 401.");
});
document.querySelector("#logout").addEventListener("click", () => {
  session.forget();
  answer.textContent = "";
  tell("The tokens were forgotten.");
  showUser();
});

try {
  const cameBack = new URLSearchParams(location.search).has("state");
  const afterwards = await session.comeBack();
  if (cameBack) tell("The user has logged in.");
  if (afterwards !== null) await call(afterwards, { again: true });
} catch (error) {
  tell(`The login failed: ${error.message}`);
}
showUser();
