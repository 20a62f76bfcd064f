// A login by authorization code and PKCE (RFC 6749 §4.1, RFC 7636), for a page that can keep no secret.
//
// The tokens live in this object and nowhere else: not in the address, not in a cookie, not in any storage.

const PENDING = "login under way";

export class Session {
  #issuer;
  #clientId;
  #redirectUri;
  #resource;
  #endpoints = null;
  #accessToken = null;
  #refreshToken = null;
  #scope = new Set();

  constructor({ issuer, clientId, redirectUri, resource }) {
    this.#issuer = issuer;
    this.#clientId = clientId;
    this.#redirectUri = redirectUri;
    this.#resource = resource;
  }

  get accessToken() {
    return this.#accessToken;
  }

  /** What was granted, which may be less than was asked for. */
  get scope() {
    return this.#scope;
  }

  /** Leave this page for the issuer's. `afterwards` is given back by comeBack(), on the page that the browser returns to. */
  async logIn(scope, afterwards = null) {
    const { authorization_endpoint: endpoint } = await this.#metadata();
    const verifier = random();
    const state = random();
    sessionStorage.setItem(PENDING, JSON.stringify({ verifier, state, afterwards }));
    const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    const query = new URLSearchParams({
      response_type: "code",
      client_id: this.#clientId,
      redirect_uri: this.#redirectUri,
      scope: [...scope].join(" "),
      resource: this.#resource,
      state,
      code_challenge: base64url(new Uint8Array(challenge)),
      code_challenge_method: "S256",
    });
    location.assign(`${endpoint}?${query}`);
    await new Promise(() => {}); // the page is being left
  }

  /** Finish a login, if the browser comes back from one; what was to be done afterwards, else null. */
  async comeBack() {
    const answer = new URLSearchParams(location.search);
    const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
    if (!answer.has("state")) return null;
    sessionStorage.removeItem(PENDING);
    history.replaceState(null, "", location.pathname); // the code must not stay in the address
    if (pending === null || answer.get("state") !== pending.state) throw new Error("This answer belongs to another login.");
    if (answer.has("iss") && answer.get("iss") !== this.#issuer) throw new Error("This answer comes from another issuer.");
    if (answer.has("error")) throw new Error(answer.get("error_description") ?? answer.get("error"));
    await this.#fetchToken({
      grant_type: "authorization_code",
      code: answer.get("code"),
      redirect_uri: this.#redirectUri,
      code_verifier: pending.verifier,
    });
    return pending.afterwards;
  }

  /** Get a new access token without asking the user; false where that can't be done any more. */
  async renew() {
    if (this.#refreshToken === null) return false;
    try {
      await this.#fetchToken({ grant_type: "refresh_token", refresh_token: this.#refreshToken });
      return true;
    } catch {
      this.forget();
      return false;
    }
  }

  forget() {
    this.#accessToken = this.#refreshToken = null;
    this.#scope = new Set();
  }

  /** For trying out what happens: the API will refuse this token. */
  spoil() {
    if (this.#accessToken !== null) this.#accessToken = `${this.#accessToken.slice(0, -4)}AAAA`;
  }

  async #fetchToken(form) {
    const { token_endpoint: endpoint } = await this.#metadata();
    const body = new URLSearchParams({ client_id: this.#clientId, resource: this.#resource, ...form });
    const response = await fetch(endpoint, { method: "POST", body, credentials: "omit" });
    const token = await response.json();
    if (!response.ok) throw new Error(token.error_description ?? token.error);
    this.#accessToken = token.access_token;
    this.#refreshToken = token.refresh_token ?? this.#refreshToken;
    this.#scope = new Set((token.scope ?? "").split(" ").filter(Boolean));
  }

  async #metadata() {
    if (this.#endpoints === null) {
      const response = await fetch(`${this.#issuer}/.well-known/oauth-authorization-server`, { credentials: "omit" });
      const document = await response.json();
      if (document.issuer !== this.#issuer) throw new Error("The issuer's metadata is another issuer's."); // RFC 8414 §3.3
      this.#endpoints = document;
    }
    return this.#endpoints;
  }
}

function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
