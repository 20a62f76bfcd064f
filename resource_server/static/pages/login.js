// Hands what the issuer answered to the page that asked: a channel named by the state, which that page alone knows.

const parameters = new URLSearchParams(location.search);
history.replaceState(null, "", location.pathname);
const state = parameters.get("state") ?? "";
if (state) {
  const channel = new BroadcastChannel(`login ${state}`);
  channel.postMessage({ code: parameters.get("code"), error: parameters.get("error"), iss: parameters.get("iss") });
  channel.close();
  window.close();
} else {
  document.getElementById("said").textContent = "Nobody waits for this login.";
}
