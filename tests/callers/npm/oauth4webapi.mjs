// The npm package `oauth4webapi`, at the command of the tests; http is allowed, because all of them are on loopback.

import * as oauth from 'oauth4webapi';

import { obey, read } from './commands.mjs';

const INSECURE = { [oauth.allowInsecureRequests]: true };

let pending; // the authorization request under way
let proofs; // the DPoP key, and the nonces that servers have given for it

async function discover(issuer) {
  const url = new URL(issuer);
  const response = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...INSECURE });
  return oauth.processDiscoveryResponse(url, response);
}

async function dpop() {
  const keys = await oauth.generateKeyPair('ES256');
  return oauth.DPoP({ client_id: 'none' }, keys);
}

await obey({
  discover: ({ issuer }) => discover(issuer),

  // RFC 9728 section 3
  async discover_resource({ resource }) {
    const url = new URL(resource);
    const response = await oauth.resourceDiscoveryRequest(url, INSECURE);
    return { url: response.url, metadata: await oauth.processResourceDiscoveryResponse(url, response) };
  },

  async client_credentials({ issuer, client_id, client_secret, scope }) {
    const [as, client] = [await discover(issuer), { client_id }];
    const authentication = oauth.ClientSecretBasic(client_secret);
    const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, { scope }, INSECURE);
    return oauth.processClientCredentialsResponse(as, client, response);
  },

  async authorization_url({ issuer, client_id, redirect_uri, scope }) {
    const [as, verifier, state] = [await discover(issuer), oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
    pending = { as, client: { client_id }, redirect_uri, verifier, state };
    const url = new URL(as.authorization_endpoint);
    url.search = new URLSearchParams({
      response_type: 'code', client_id, redirect_uri, scope, state, code_challenge_method: 'S256',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    });
    return url.href;
  },

  async redeem({ callback }) {
    const { as, client, redirect_uri, verifier, state } = pending;
    const parameters = oauth.validateAuthResponse(as, client, new URL(callback), state);
    const response = await oauth.authorizationCodeGrantRequest(
      as, client, oauth.None(), parameters, redirect_uri, verifier, INSECURE);
    return oauth.processAuthorizationCodeResponse(as, client, response);
  },

  async call({ method, url, token, body, with_proof }) {
    if (with_proof) proofs ??= await dpop();
    const headers = new Headers(body ? { 'content-type': 'application/json' } : {});
    const options = { ...INSECURE, ...(with_proof && { DPoP: proofs }) };
    return read(await oauth.protectedResourceRequest(token, method, new URL(url), headers, body, options));
  },

  is_nonce_demanded: async (command) => {
    proofs = await dpop();
    try {
      const headers = new Headers();
      await oauth.protectedResourceRequest('a', 'GET', new URL(command.url), headers, null, { ...INSECURE, DPoP: proofs });
    } catch (error) {
      return oauth.isDPoPNonceError(error);
    }
  },

  // The library's own resource server: a second opinion on the token (RFC 9068 section 4).
  async judge({ issuer, audience, token }) {
    const request = new Request(audience, { headers: { authorization: `Bearer ${token}` } });
    return oauth.validateJwtAccessToken(await discover(issuer), request, audience, INSECURE);
  },
});
