// The npm package `openid-client`, at the command of the tests; http is allowed, because all of them are on loopback.

import * as client from 'openid-client';

import { obey, read } from './commands.mjs';

const LOOPBACK = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] };

let pending; // the authorization request under way

function discover(issuer, client_id, authentication) {
  return client.discovery(new URL(issuer), client_id, undefined, authentication, LOOPBACK);
}

// Calls need a configuration, and no authorization server.
const nobody = new client.Configuration({ issuer: 'https://id.example.com' }, 'none');
client.allowInsecureRequests(nobody);

await obey({
  async discover({ issuer }) {
    return (await discover(issuer, 'none')).serverMetadata();
  },

  async client_credentials({ issuer, client_id, client_secret, scope }) {
    const configuration = await discover(issuer, client_id, client.ClientSecretPost(client_secret));
    return client.clientCredentialsGrant(configuration, { scope });
  },

  async authorization_url({ issuer, client_id, redirect_uri, scope }) {
    const configuration = await discover(issuer, client_id, client.None());
    const [pkceCodeVerifier, state] = [client.randomPKCECodeVerifier(), client.randomState()];
    pending = { configuration, checks: { pkceCodeVerifier, expectedState: state } };
    const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier);
    return client.buildAuthorizationUrl(configuration, {
      redirect_uri, scope, state, code_challenge, code_challenge_method: 'S256',
    }).href;
  },

  redeem({ callback }) {
    return client.authorizationCodeGrant(pending.configuration, new URL(callback), pending.checks);
  },

  async call({ method, url, token, body, with_proof }) {
    const headers = new Headers(body ? { 'content-type': 'application/json' } : {});
    const DPoP = with_proof && client.getDPoPHandle(nobody, await client.randomDPoPKeyPair());
    return read(await client.fetchProtectedResource(nobody, token, new URL(url), method, body, headers, { DPoP }));
  },
});
