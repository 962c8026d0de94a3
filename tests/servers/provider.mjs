// SPDX-License-Identifier: MIT
//
// The identity provider itself: oidc-provider, a certified OpenID provider, and one hook in front
// that gives it Entra's manners: tenants in the path, <resource>/.default scopes, the device
// answer's fields, the form of errors. The rules of OAuth (codes, grants, rotation, expiry, PKCE)
// are oidc-provider's, so that a client is tested against somebody else's reading of the RFCs.

import { createHash, generateKeyPairSync } from 'node:crypto';
import querystring from 'node:querystring';

import { Provider } from 'oidc-provider';

import Adapter from './adapter.mjs';
import { entraError, fromProvider } from './errors.mjs';
import { failWith } from './failures.mjs';
import * as state from './state.mjs';

const { options, TENANT } = state;
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const ROUTES = {
    authorization: `/${TENANT}/oauth2/v2.0/authorize`,
    device_authorization: `/${TENANT}/oauth2/v2.0/devicecode`,
    token: `/${TENANT}/oauth2/v2.0/token`,
    jwks: `/${TENANT}/discovery/v2.0/keys`,
    code_verification: '/device',
};
const KINDS = { token: 'token', devicecode: 'devicecode', authorize: 'authorize' };
const ROUTE = new RegExp('^/([^/]+)(/(?:oauth2/v2\\.0/(\\w+)'
    + '|v2\\.0/\\.well-known/openid-configuration|discovery/v2\\.0/keys))$');
const OIDC_SCOPES = ['openid', 'profile', 'offline_access'];

const objectId = (user) => createHash('sha256').update(user).digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5');

function signingKey() {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

    return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'test-key' };
}

const publicClient = (id, name) => ({
    client_id: id,
    client_name: name,
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
    response_types: ['code'],
    redirect_uris: ['http://localhost', 'http://127.0.0.1'],
});

function configuration() {
    return {
        adapter: Adapter,
        jwks: { keys: [signingKey()] },
        cookies: { keys: ['only for tests'] },
        routes: ROUTES,
        responseTypes: ['code'],
        scopes: OIDC_SCOPES,
        claims: { openid: ['sub', 'oid', 'tid'], profile: ['name', 'preferred_username'] },
        conformIdTokenClaims: false,
        clients: [
            publicClient(state.CLIENT_AZURE_CLI, 'Microsoft Azure CLI'),
            publicClient(state.CLIENT_OWN, 'A registration of our own'),
            {
                client_id: state.CLIENT_SERVICE,
                client_secret: state.CLIENT_SERVICE_SECRET,
                token_endpoint_auth_method: 'client_secret_post',
                grant_types: ['client_credentials'],
                response_types: [],
                redirect_uris: [],
            },
        ],
        findAccount: (ctx, user) => ({
            accountId: user,
            claims: () => ({
                sub: user,
                oid: objectId(user),
                tid: TENANT,
                name: user.split('@')[0],
                preferred_username: user,
            }),
        }),
        features: {
            clientCredentials: { enabled: true },
            deviceFlow: { enabled: true, mask: '*********' },
            devInteractions: { enabled: true },
            userinfo: { enabled: false },
            rpInitiatedLogout: { enabled: false },
            resourceIndicators: {
                enabled: true,
                // The first one is what the client asked for; see widen().
                defaultResource: (ctx, client, oneOf) => oneOf?.[0],
                useGrantedResource: () => true,
                getResourceServerInfo: (ctx, resource) => ({
                    scope: 'user_impersonation',
                    audience: resource,
                    accessTokenFormat: 'jwt',
                    jwt: { sign: { alg: 'RS256' } },
                }),
            },
        },
        formats: {
            // Entra's refresh tokens are long: 1 to 2 kB.
            bitsOfOpaqueRandomness: (ctx, token) => (token.kind === 'RefreshToken' ? 8000 : 256),
            customizers: {
                jwt: (ctx, token, jwt) => Object.assign(jwt.payload, {
                    tid: TENANT,
                    oid: objectId(jwt.payload.sub),
                    upn: jwt.payload.sub,
                    ver: '1.0',
                }),
            },
        },
        pkce: { methods: ['S256'], required: () => true },
        rotateRefreshToken: true,
        ttl: {
            AccessToken: () => options.access_token_ttl,
            ClientCredentials: () => options.access_token_ttl,
            AuthorizationCode: 600,
            DeviceCode: () => options.device_code_ttl,
            Grant: 365 * 86400,
            IdToken: 3600,
            Interaction: 3600,
            RefreshToken: () => options.refresh_token_ttl,
            Session: 86400,
        },
    };
}

// "https://x/.default openid" → { resource: 'https://x', scope: 'openid user_impersonation' }.
function translateScope(text) {
    const scopes = [];
    let resource;

    for (const word of (text ?? '').split(' ').filter(Boolean)) {
        const match = /^(.+)\/(\.default|user_impersonation)$/.exec(word);

        if (match) {
            // A registration's id names it as well as its URI does, which oidc-provider insists on.
            resource ??= match[1].replace(/^[0-9a-f-]{36}$/, 'api://$&');
            scopes.push('user_impersonation');
        } else {
            scopes.push(word);
        }
    }
    return { resource, scope: scopes.join(' ') || undefined };
}

// At Entra a grant is not bound to a resource: ask for the wanted one first, and for all others.
function widen(resource) {
    return [resource, ...options.resources.filter((other) => other !== resource)];
}

function translate(kind, params) {
    const { resource, scope } = translateScope(params.scope);
    const result = { ...params, scope };

    if (kind === 'token')
        return { resource, params: { ...result, ...(resource ? { resource } : {}) } };
    if (kind === 'authorize') {
        // select_account is Entra's own; consent keeps offline_access.
        result.prompt = 'login consent';
        delete result.response_mode;
    }
    delete result.claims;
    delete result.client_info;
    return { resource, params: { ...result, resource: resource ? widen(resource) : [] } };
}

function decorateDevice(body) {
    delete body.verification_uri_complete;
    body.interval = options.interval;
    if (options.message) {
        body.message = 'To sign in, use a web browser to open the page '
            + `${body.verification_uri} and enter the code ${body.user_code} to authenticate.`;
    }
    state.secrets.add(body.device_code);
}

function decorateToken(body, params) {
    const at = JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url'));

    body.ext_expires_in = body.expires_in;
    if (body.scope)
        body.scope = `${at.aud}/user_impersonation ${at.aud}/.default`;
    if (options.refresh_in !== null)
        body.refresh_in = options.refresh_in;
    if (params.client_id === state.CLIENT_AZURE_CLI)
        body.foci = '1';
    if (params.client_info) {
        body.client_info = Buffer.from(JSON.stringify({ uid: at.oid, utid: TENANT }))
            .toString('base64url');
    }
    for (const name of ['access_token', 'refresh_token', 'id_token']) {
        if (body[name])
            state.secrets.add(body[name]);
    }
}

function numbersAsStrings(body) {
    for (const name of ['expires_in', 'ext_expires_in', 'refresh_in', 'interval']) {
        if (body[name] !== undefined)
            body[name] = String(body[name]);
    }
}

async function readForm(ctx) {
    const chunks = [];

    for await (const chunk of ctx.req)
        chunks.push(chunk);
    return { ...querystring.parse(Buffer.concat(chunks).toString()) };
}

// MSAL sends a service principal's secret by HTTP Basic; the client above is set up for the form.
function basicToForm(ctx, params) {
    const match = /^Basic (.+)$/.exec(ctx.get('authorization'));

    if (!match)
        return;
    const [id, secret] = Buffer.from(match[1], 'base64').toString().split(':');
    params.client_id = decodeURIComponent(id);
    params.client_secret = decodeURIComponent(secret);
    delete ctx.req.headers.authorization;
}

function discovery(ctx) {
    const base = `${ctx.origin}/${TENANT}`;

    return {
        issuer: `${base}/v2.0`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        jwks_uri: `${base}/discovery/v2.0/keys`,
        token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
        response_types_supported: ['code'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
    };
}

// What Python calls time.monotonic().
const monotonic = () => Number(process.hrtime.bigint()) / 1e9;

async function answer(ctx, next, kind, entry) {
    const sent = kind === 'authorize' ? { ...ctx.query } : await readForm(ctx);
    const { resource, params } = translate(kind, sent);

    if (kind !== 'authorize')
        basicToForm(ctx, params);
    Object.assign(entry, {
        grant_type: params.grant_type?.replace(DEVICE_GRANT, 'device_code'),
        client_id: params.client_id,
        resource,
        claims: sent.claims,
        scope: sent.scope,
    });
    state.answered(entry, {});

    entry.read_at = monotonic();
    const failure = state.takeFailure(entry);
    if (failure?.when === 'before')
        return failWith(ctx, failure);
    if (resource && !options.resources.includes(resource)) {
        ctx.status = 400;
        ctx.body = entraError('invalid_resource');
        return undefined;
    }

    if (kind === 'authorize')
        ctx.url = `${ctx.path}?${querystring.stringify(params)}`;
    else
        ctx.req.body = params;
    await next();
    entry.done_at = monotonic();

    if (ctx.status >= 400 && ctx.body?.error) {
        // A refresh token that was ours once and is no longer known has been revoked.
        ctx.body = fromProvider(ctx.body.error, state.secrets.has(params.refresh_token)
            ? 'grant not found' : ctx.state.reason);
        if (ctx.status === 401 && ctx.body.error !== 'invalid_client')
            ctx.status = 400;
    } else if (kind === 'devicecode') {
        decorateDevice(ctx.body);
    } else if (kind === 'token') {
        decorateToken(ctx.body, { ...params, client_info: sent.client_info });
    }
    if (options.numbers_as_strings && kind !== 'authorize')
        numbersAsStrings(ctx.body);
    if (kind === 'token')
        await state.whenReleased();
    return failure ? failWith(ctx, failure) : undefined;
}

async function hook(ctx, next) {
    const match = ROUTE.exec(ctx.path);

    if (options.date_offset)
        ctx.set('date', new Date(Date.now() + options.date_offset * 1000).toUTCString());
    if (!match) {
        await next();
        return;
    }

    const [, tenant, rest, endpoint] = match;
    const kind = KINDS[endpoint] ?? 'discovery';
    const entry = state.record({ kind, tenant, via: ctx.secure ? 'tls' : 'plain' });

    if (!state.TENANT_ALIASES.includes(tenant.toLowerCase())) {
        ctx.status = 400;
        ctx.body = entraError('invalid_tenant');
    } else if (rest.endsWith('openid-configuration')) {
        ctx.body = discovery(ctx);
    } else {
        ctx.path = `/${TENANT}${rest}`;
        if (endpoint)
            await answer(ctx, next, kind, entry);
        else
            await next();
    }
    state.answered(entry, { status: ctx.status, error: ctx.body?.error });
}

// A Koa callback (request, response) that serves everything of the identity server.
export function identityServer(origin) {
    // Its start-up notices are about running it in production.
    console.info = () => {};
    console.warn = () => {};

    const provider = new Provider(`${origin}/${TENANT}/v2.0`, configuration());

    provider.on('grant.error', (ctx, error) => { ctx.state.reason = error.error_detail; });
    provider.on('server_error', (ctx, error) => { process.stderr.write(`${error.stack}\n`); });
    provider.use(hook);
    return provider.callback();
}
