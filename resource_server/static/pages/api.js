// Calls a protected API, and does what each refusal asks for: docs/clients.md says why.

import { bearerChallenge } from "./challenge.js";

const LONGEST_WAIT = 60; // seconds
const MOST_WAITS = 3;

export class Api {
  #session;
  #tell;
  #sleep;

  /** `tell` is told, in a sentence, what is done about a refusal. */
  constructor(session, { tell = () => {}, sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000)) } = {}) {
    this.#session = session;
    this.#tell = tell;
    this.#sleep = sleep;
  }

  /**
   * The response, once there is one that this client can do nothing more about. Where the user has to log in, the page
   * is left, and `afterwards` of Session.comeBack() is this call, to be made again with `again`.
   */
  async call({ method = "GET", path, body = null }, { again = false } = {}) {
    let renewed = false;
    for (let waits = 0; ; ) {
      const response = await this.#send(method, path, body);
      const challenge = bearerChallenge(response);
      if (response.status === 401) {
        // The token is missing, expired or revoked. Renew it once; if that does not help, let the user log in, once.
        if (!renewed && (await this.#session.renew())) {
          renewed = true;
          this.#tell("The token was refused, so it was renewed, and the call is made again.");
          continue;
        }
        if (again) return this.#end("Even a new token is refused: logging in once more would not help.", response);
        const scope = new Set([...this.#session.scope, ...words(challenge?.scope)]);
        this.#session.forget();
        this.#tell("The token is missing or refused, so the user has to log in.");
        await this.#session.logIn(scope, { method, path, body });
      }
      if (response.status === 403 && challenge?.error === "insufficient_scope") {
        // The user may well do this: the token may not. Ask for the scopes that the challenge names.
        const lacking = words(challenge.scope).filter((scope) => !this.#session.scope.has(scope));
        if (again || lacking.length === 0) return this.#end("The user may not have this scope.", response);
        this.#tell(`The token lacks ${lacking.join(" ")}, so it is asked for.`);
        await this.#session.logIn(new Set([...this.#session.scope, ...lacking]), { method, path, body });
      }
      if (response.status === 403) {
        // No challenge: another token of the same user would be refused, too. Never log in because of this.
        return this.#end("The user is not allowed to do this. No other token would help.", response);
      }
      if ((response.status === 503 || response.status === 429) && waits < MOST_WAITS) {
        // Nobody is at fault, and the token may well be good: keep it, and wait as long as it says.
        const seconds = Math.min(Number(response.headers.get("retry-after")) || 1, LONGEST_WAIT);
        waits += 1;
        this.#tell(`The API asks for ${seconds} s of patience.`);
        await this.#sleep(seconds);
        continue;
      }
      return response;
    }
  }

  async #send(method, path, body) {
    const headers = {};
    if (this.#session.accessToken !== null) headers.authorization = `Bearer ${this.#session.accessToken}`;
    if (body !== null) headers["content-type"] = "application/json";
    return fetch(path, { method, headers, body: body === null ? null : JSON.stringify(body), credentials: "omit" });
  }

  #end(sentence, response) {
    this.#tell(sentence);
    return response;
  }
}

function words(text) {
  return (text ?? "").split(" ").filter(Boolean);
}
