// An OAuth 2.0 authorization server on loopback for the integration tests: `node launch.mjs [port [keys]]`.
//
// It writes one line of JSON to stdout when it answers: its name, and the private key of the client that has one. Errors
// go to stderr. It ends when its stdin is closed, so that a killed pytest leaves no orphan. Accounts and tokens live in
// memory and end with it, and so do its keys, unless they are to be kept in a file.
// Port 0, the default, takes a free one; a given port lets the same issuer come back after an outage.
// A line `rotate` on stdin makes new keys, which sign from then on beside the old ones; a line of JSON says when.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

import { Provider, errors } from 'oidc-provider';

// EdDSA is the older, polymorphic name of Ed25519 (RFC 9864): one key, and the header says what the client asked for.
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'];
const ROLES = { alice: ['customer'], eve: ['editor'], root: ['admin'] };
const SCOPES = 'users:read profile:write orders:read orders:write';
const REDIRECT_URI = 'http://127.0.0.1:8765/callback'; // native: any port of loopback will do (RFC 8252 section 7.3)
const COOKIE_KEY = randomBytes(32).toString('hex');
const HOUR = 3600;

// Each is the audience of its tokens (RFC 8707 section 2).
const RESOURCES = {
  'https://api.example.com': 'jwt',
  'https://other.example.com': 'jwt',
  'https://opaque.example.com': 'opaque',
  'https://other-opaque.example.com': 'opaque',
};

// The generator writes the JWK itself: with `privateKey.export({ format: 'jwk' })` node 20 hangs once in some hundred
// starts, when a garbage collection during the export ends the generator, which waits for the lock that the export has.
const JWK = { publicKeyEncoding: { format: 'jwk' }, privateKeyEncoding: { format: 'jwk' } };

// No `alg`: most issuers leave it out (RFC 7517 section 4.4 makes it optional). oidc-provider itself adds it where a
// key can do one algorithm only, so the EC key is published with it and the other two without.
function signingKeys() {
  return [
    generateKeyPairSync('rsa', { modulusLength: 2048, ...JWK }), // RS256 and PS256
    generateKeyPairSync('ec', { namedCurve: 'P-256', ...JWK }),
    generateKeyPairSync('ed25519', JWK),
  ].map(({ privateKey }) => ({ ...privateKey, use: 'sig' }));
}

// Those that may introspect, one for each way to authenticate. RFC 6749 section 2.3.1 form-urlencodes name and secret.
function introspecting({ kty, crv, x, y }) {
  const secrets = {
    'resource-server': ['client_secret_basic', 'secret-of-resource-server'],
    'resource server': ['client_secret_basic', 'of: 100% +& more/'],
    'resource-server-post': ['client_secret_post', 'secret-of-resource-server-post'],
    'resource-server-secret-jwt': ['client_secret_jwt', 'secret-of-resource-server-secret-jwt'],
  };
  const bySecret = Object.entries(secrets).map(([id, [method, secret]]) => (
    { client_id: id, client_secret: secret, token_endpoint_auth_method: method }));
  const byKey = {
    client_id: 'resource-server-key',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ kty, crv, x, y }] },
    introspection_signed_response_alg: 'ES256', // the others get RS256, RFC 9701 section 6
  };
  return [...bySecret, byKey].map((one) => ({ ...one, grant_types: [], redirect_uris: [], response_types: [] }));
}

function clients(clientKey) {
  const machines = ALGORITHMS.map((algorithm) => ({
    client_id: `cc-${algorithm}`,
    client_secret: `secret-of-cc-${algorithm}`,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: algorithm, // also read by resourceServer() below
  }));
  const apps = ALGORITHMS.map((algorithm) => ({
    client_id: `code-${algorithm}`,
    application_type: 'native',
    token_endpoint_auth_method: 'none', // so PKCE is required
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [REDIRECT_URI],
    response_types: ['code'],
    id_token_signed_response_alg: algorithm,
  }));
  const docs = { // a page in a browser: the docs of the bundled API
    client_id: 'docs',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    redirect_uris: ['http://127.0.0.1/docs/oauth2-redirect'],
    response_types: ['code'],
    id_token_signed_response_alg: 'RS256',
  };
  return [...machines, ...apps, docs, ...introspecting(clientKey)];
}

function resourceServer(_ctx, indicator, client) {
  if (!Object.hasOwn(RESOURCES, indicator)) throw new errors.InvalidTarget();
  return {
    audience: indicator,
    scope: SCOPES,
    accessTokenTTL: HOUR,
    accessTokenFormat: RESOURCES[indicator],
    jwt: { sign: { alg: client.idTokenSignedResponseAlg } },
  };
}

function configuration(clientKey, keys) {
  return {
    jwks: { keys },
    clients: clients(clientKey),
    clientBasedCORS: (_ctx, origin, client) => client.clientId === 'docs' && origin.startsWith('http://127.0.0.1:'),
    cookies: { keys: [COOKIE_KEY] },
    findAccount: (_ctx, id) => (Object.hasOwn(ROLES, id)
      ? { accountId: id, claims: () => ({ sub: id }) }
      : undefined),
    extraTokenClaims: (_ctx, token) => (token.accountId ? { roles: ROLES[token.accountId] } : undefined),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_ctx, client) => client.clientAuthMethod !== 'none' },
      jwtIntrospection: { enabled: true }, // RFC 9701, for those who ask by Accept
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => client.clientId === token.clientId },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
    },
    ttl: {
      AccessToken: HOUR,
      AuthorizationCode: 60,
      ClientCredentials: HOUR,
      Grant: HOUR,
      IdToken: HOUR,
      Interaction: HOUR,
      RefreshToken: HOUR,
      Session: HOUR,
    },
  };
}

// One form is login and consent: a person picks an account, a script posts `account=alice` to the same address.
function interactions(provider) {
  return async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    if (ctx.method !== 'POST') {
      ctx.body = `<!DOCTYPE html><title>Sign in</title><link rel="icon" href="data:,"><form method="post">${Object.keys(ROLES)
        .map((name) => `<button name="account" value="${name}">${name}</button>`).join('')}</form>`;
      return undefined;
    }
    const accountId = new URLSearchParams(await text(ctx.req)).get('account');
    if (!Object.hasOwn(ROLES, accountId)) return ctx.throw(400, 'no such account');

    const grant = new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    for (const resource of [params.resource ?? []].flat()) grant.addResourceScope(resource, params.scope);

    ctx.respond = false;
    return provider.interactionFinished(ctx.req, ctx.res, {
      login: { accountId },
      consent: { grantId: await grant.save() },
    });
  };
}

const commands = createInterface({ input: process.stdin });
commands.on('close', () => process.exit(0));

// The listener comes first: the issuer's name holds the port.
const server = createServer();
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1');
await once(server, 'listening');

const issuer = `http://127.0.0.1:${server.address().port}`;
const { privateKey: clientKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', ...JWK }); // of resource-server-key
const file = process.argv[3];
let keys = file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : signingKeys();

// Of the keys of one kind the first one signs.
function answer() {
  const provider = new Provider(issuer, configuration(clientKey, keys));
  provider.use(interactions(provider));
  provider.on('server_error', (_ctx, error) => console.error(error));
  server.removeAllListeners('request').on('request', provider.callback());
  if (file) writeFileSync(file, JSON.stringify(keys), { mode: 0o600 });
}

commands.on('line', (command) => {
  if (command !== 'rotate') throw new Error(`no such command: ${command}`);
  keys = [...signingKeys(), ...keys];
  answer();
  console.log(JSON.stringify({ keys: keys.length }));
});

answer();
console.log(JSON.stringify({ issuer, clientKey }));
