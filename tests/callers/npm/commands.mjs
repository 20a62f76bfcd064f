// What both clients have in common: one line of JSON on stdin is a command, one line on stdout is what came of it.
//
// `{"do": "call", ...}` is answered by `{"returned": ...}` or, where the library threw, by `{"thrown": ...}` with all
// that its error offers. The process ends when its stdin is closed, so that a killed pytest leaves no orphan.

import { createInterface } from 'node:readline';

export async function obey(commands) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: name, ...options } = JSON.parse(line);
    let outcome;
    try {
      outcome = { returned: await commands[name](options) };
    } catch (error) {
      outcome = { thrown: await told(error) };
    }
    console.log(JSON.stringify(outcome));
  }
}

export async function read(response) {
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
}

async function told({ name, code, status, message, error, error_description, cause, response }) {
  return {
    name, code, status, message, error, error_description,
    cause: Array.isArray(cause) ? cause : String(cause),
    response: response && !response.bodyUsed ? await read(response) : undefined,
  };
}
