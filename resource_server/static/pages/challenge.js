// What a 401 or a 403 says in WWW-Authenticate (RFC 9110 §11.6.1).

const CHALLENGE = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: +|$)/y;
const PARAMETER = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+\-.^_`|~0-9A-Za-z]+))\s*(?:,\s*|$)/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*\s*(?:,\s*|$)/y;

/** The parameters of the Bearer challenge, their names in lower case; null where there is none. */
export function bearerChallenge(response) {
  const field = response.headers.get("www-authenticate") ?? "";
  let found = null;
  let place = 0;
  while (place < field.length) {
    CHALLENGE.lastIndex = place;
    const scheme = CHALLENGE.exec(field);
    if (scheme === null) return found; // no challenge of ours: what was read so far stands
    place = CHALLENGE.lastIndex;
    const parameters = {};
    for (;;) {
      PARAMETER.lastIndex = place;
      const parameter = PARAMETER.exec(field);
      if (parameter === null) break;
      parameters[parameter[1].toLowerCase()] = parameter[3] ?? parameter[2].replace(/\\(.)/g, "$1");
      place = PARAMETER.lastIndex;
    }
    if (Object.keys(parameters).length === 0) {
      TOKEN68.lastIndex = place; // another scheme's single token
      if (TOKEN68.test(field)) place = TOKEN68.lastIndex;
    }
    if (scheme[1].toLowerCase() === "bearer") found ??= parameters;
  }
  return found;
}
