// SPDX-License-Identifier: MIT
//
// Who may ask the IoT Central stand-in: bearer tokens of the test's identity server, whose
// signature is checked, and API tokens, which are made, listed and deleted here.

import { createHmac, randomBytes } from 'node:crypto';

import { createRemoteJWKSet, jwtVerify } from 'jose';

const AUDIENCE = 'https://apps.azureiotcentral.com';
const ADMINISTRATOR = 'ca310b8d-2f4a-44e0-a36e-957c202cd8d4';
const YEAR = 365 * 86400;

const keys = createRemoteJWKSet(new URL(process.argv[2]));
const appKey = randomBytes(32);

// An answer that is not 200, in the service's own form.
export class CentralError extends Error {
    constructor(status, code, message, headers = {}) {
        super(message);
        Object.assign(this, { status, code, headers });
    }
}

export const newTokens = () => ({ byId: new Map(), secrets: [] });

export function issue(tokens, id, roles = [{ role: ADMINISTRATOR }], seconds = YEAR) {
    const expires = Date.now() + seconds * 1000;
    const app = '2f6a7c0e-5b7d-4b16-9c55-0d7f3f9e9c01';
    const sig = createHmac('sha256', appKey).update(`${id} ${expires} ${randomBytes(8)}`)
        .digest('base64');
    const entry = {
        id, roles, expiry: new Date(expires).toISOString(),
        token: `SharedAccessSignature sr=${app}&sig=${encodeURIComponent(sig)}&skn=${id}`
            + `&se=${expires}`,
    };

    tokens.byId.set(id, entry);
    tokens.secrets.push(entry.token);
    return entry;
}

function unauthenticated(message) {
    return new CentralError(401, 'Unauthenticated',
        `${message} You can contact support at https://aka.ms/iotcentral-support. `
        + 'Request ID: 1a2b3c4d, Time: Thu, 01 Jan 1970 00:00:00 GMT.',
        { 'www-authenticate': 'Bearer error="invalid_token"' });
}

// { admin } of whoever sent this Authorization header.
export async function identify(header, tokens) {
    if (header?.startsWith('SharedAccessSignature ')) {
        const entry = [...tokens.byId.values()].find(({ token }) => token === header);

        if (!entry || Date.parse(entry.expiry) < Date.now())
            throw unauthenticated('The API token is not valid.');
        return { admin: entry.roles.some(({ role }) => role === ADMINISTRATOR) };
    }
    if (!header?.startsWith('Bearer '))
        throw unauthenticated('There is no authorization.');
    try {
        await jwtVerify(header.slice(7), keys, { audience: AUDIENCE, algorithms: ['RS256'] });
    } catch (error) {
        throw unauthenticated(`The bearer token is not valid (${error.code}).`);
    }
    return { admin: true };
}

const shown = ({ id, roles, expiry }) => ({ id, roles, expiry });

// The service's word on /api/apiTokens[/ID]; null: 204.
export async function tokenOperation(tokens, caller, method, url, body) {
    const id = decodeURIComponent(url.pathname.split('/')[3] ?? '');

    if (!caller.admin)
        throw new CentralError(403, 'Forbidden', 'You need a role that may manage API tokens.');
    if (!id)
        return { value: [...tokens.byId.values()].map(shown) };
    if (method === 'PUT') {
        const { roles, expiry } = JSON.parse(body);

        if (tokens.byId.has(id))
            throw new CentralError(409, 'Conflict', `The API token ${id} exists already.`);
        return issue(tokens, id, roles, expiry ? (Date.parse(expiry) - Date.now()) / 1000 : YEAR);
    }
    if (!tokens.byId.has(id))
        throw new CentralError(404, 'NotFound', `There is no API token ${id}.`);
    const entry = tokens.byId.get(id);
    if (method !== 'DELETE')
        return shown(entry);
    tokens.byId.delete(id);
    return null;
}
