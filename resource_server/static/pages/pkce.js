// A login by authorization code and PKCE (RFC 6749 §4.1, RFC 7636) in a window of its own. Nothing is stored.

function encode(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function random() {
  return encode(crypto.getRandomValues(new Uint8Array(32)));
}

// The access token; throws an Error whose message is for the person.
export async function logIn(login, redirectUri) {
  const state = random();
  const verifier = random();
  const challenge = encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
  const address = new URL(login.authorization_endpoint);
  const asked = {
    ...login.parameters, response_type: "code", client_id: login.client_id, redirect_uri: redirectUri,
    scope: login.scope, state, code_challenge: challenge, code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(asked)) if (value) address.searchParams.set(name, value);
  const answer = await answered(address, state);
  if (answer.error) throw new Error(`The login was refused: ${answer.error}.`);
  if (!answer.code || (answer.iss && answer.iss !== login.issuer)) throw new Error("The login came back from elsewhere.");
  const response = await fetch(login.token_endpoint, {
    method: "POST",
    credentials: "omit",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({
      ...login.parameters, grant_type: "authorization_code", code: answer.code, redirect_uri: redirectUri,
      client_id: login.client_id, code_verifier: verifier,
    }),
  });
  const body = await response.json().catch(() => ({}));
  if (!response.ok || typeof body.access_token !== "string") throw new Error("The issuer gave no token.");
  return body.access_token;
}

function answered(address, state) {
  return new Promise((resolve, reject) => {
    const channel = new BroadcastChannel(`login ${state}`);
    const popup = window.open(address, "_blank", "popup,width=480,height=720");
    if (!popup) {
      channel.close();
      reject(new Error("The browser did not open the window of the login: allow it, or paste a token."));
      return;
    }
    const watch = setInterval(() => {
      if (popup.closed) end(() => reject(new Error("The login was not finished.")), 500);
    }, 500);
    function end(how, after = 0) {
      clearInterval(watch);
      setTimeout(() => {
        channel.close();
        how();
      }, after);
    }
    channel.onmessage = (message) => end(() => resolve(message.data));
  });
}
