// SPDX-License-Identifier: MIT
//
// An IoT Central stand-in for the tests: node central.mjs JWKS-URL [TLS-FOLDER]. Prism serves the
// service's own API description; the gate here in front of it checks who asks (a bearer token's
// signature, audience and end by the identity server's keys; an API token that was issued here and
// not deleted), remembers API tokens, has pages of devices, and fails on order. It listens on
// 127.0.0.1 only, in plain HTTP and, with the certificate that entra.mjs left in TLS-FOLDER, over
// TLS. When all is up it prints one line of JSON with the ports; it ends when its standard input
// closes.

import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';

import { createLogger } from '@stoplight/prism-core';
import { getHttpOperationsFromSpec } from '@stoplight/prism-http';
import { createServer } from '@stoplight/prism-http-server';

import { CentralError, identify, issue, newTokens, tokenOperation } from './central-auth.mjs';
import { API_VERSION, centralSpec } from './central-spec.mjs';

const DEFAULTS = {
    devices: 0,             // so many devices, in pages of page_size; 0: prism's own examples
    page_size: 25,
    next_link: null,        // what nextLink says instead of the truth
    roles: [],              // custom roles, beside the built-in ones of the examples
};
const state = {};
const news = new EventEmitter();

function reset() {
    Object.assign(state, {
        options: structuredClone(DEFAULTS), requests: [], failures: [], tokens: newTokens(),
    });
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const matches = (entry, wanted) => ['method', 'path', 'status']
    .every((key) => wanted[key] === undefined || wanted[key] === entry[key]);

function takeFailure(entry) {
    const failure = state.failures.find(({ match }) => matches(entry, match));

    if (failure && --failure.count <= 0)
        state.failures.splice(state.failures.indexOf(failure), 1);
    return failure;
}

function wait({ count = 1, timeout = 20, ...wanted }) {
    return new Promise((resolve) => {
        const look = (late) => {
            const found = state.requests.filter((entry) => matches(entry, wanted)).length;

            if (found < count && late !== true)
                return;
            clearTimeout(timer);
            news.off('request', look);
            resolve(found);
        };
        const timer = setTimeout(() => look(true), timeout * 1000);
        news.on('request', look);
        look();
    });
}

async function readAll(stream) {
    const chunks = [];

    for await (const chunk of stream)
        chunks.push(chunk);
    return Buffer.concat(chunks);
}

const json = (status, value, headers = {}) => ({
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: Buffer.from(JSON.stringify(value)),
});

function errorAnswer(status, code, message, headers = {}) {
    return json(status, {
        error: {
            code, message, requestId: '1a2b3c4d', time: new Date(0).toUTCString(),
        },
    }, { 'x-ms-error-code': code, ...headers });
}

// Prism's word on a request that may pass: checked against the description, answered by example.
async function askPrism(port, req, body) {
    const method = req.method === 'HEAD' ? 'GET' : req.method;
    const headers = Object.fromEntries(['content-type', 'accept']
        .filter((name) => req.headers[name]).map((name) => [name, req.headers[name]]));
    headers.authorization = 'Bearer checked-by-the-gate';
    const answer = await fetch(`http://127.0.0.1:${port}${req.url}`, {
        method, headers, ...(body.length ? { body } : {}),
    });
    const text = Buffer.from(await answer.arrayBuffer());

    if (answer.status < 400) {
        const type = answer.headers.get('content-type');
        return {
            status: answer.status, headers: type ? { 'content-type': type } : {}, body: text,
        };
    }
    const problem = JSON.parse(text);
    const code = { 401: 'Unauthenticated', 404: 'NotFound', 422: 'InvalidBody' }[answer.status];
    const violations = problem.validation?.map((one) => one.message).join('; ');
    return errorAnswer(answer.status, code ?? 'Error',
        violations ?? problem.title ?? 'The request is not valid.');
}

function devicePage(url, origin) {
    const { devices, page_size: size, next_link: other } = state.options;
    const from = Number(url.searchParams.get('$skiptoken') ?? 0);
    const value = [];

    for (let i = from; i < Math.min(from + size, devices); i++)
        value.push({ id: `device-${i}`, displayName: `Device ${i}`, enabled: true });
    const text = JSON.stringify({ value });
    const next = other ?? `${origin}/api/devices?api-version=${API_VERSION}`
        + `&$skiptoken=${from + size}`;
    const more = from + size < devices ? `,"nextLink":${JSON.stringify(next)}` : '';
    return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(`${text.slice(0, -1)}${more}}`),
    };
}

async function serve(prismPort, req, body, origin) {
    const url = new URL(req.url, origin);
    const caller = await identify(req.headers.authorization, state.tokens);
    const answer = await askPrism(prismPort, req, body);

    if (answer.status >= 400)
        return answer;
    if (url.pathname.startsWith('/api/apiTokens')) {
        const result = await tokenOperation(state.tokens, caller, req.method, url, body);
        return result === null ? { status: 204, headers: {}, body: Buffer.alloc(0) }
            : json(200, result);
    }
    if (url.pathname === '/api/roles' && state.options.roles.length) {
        const { value } = JSON.parse(answer.body);
        return json(200, { value: [...value, ...state.options.roles] });
    }
    if (url.pathname === '/api/devices' && req.method === 'GET' && state.options.devices)
        return devicePage(url, origin);
    return answer;
}

// failure: { status, headers, body (text or object), code, message, drop, hang, delay_ms, when }
async function failWith(failure, answer) {
    if (failure.delay_ms)
        await pause(failure.delay_ms);
    if (failure.drop || failure.hang)
        return failure;
    if (failure.code)
        return errorAnswer(failure.status, failure.code, failure.message ?? '', failure.headers);
    if (!failure.status && failure.body === undefined)
        return answer;
    const text = typeof failure.body === 'object' ? JSON.stringify(failure.body)
        : failure.body ?? '';
    const encoding = failure.latin1 ? 'latin1' : 'utf8';
    return {
        status: failure.status ?? 200,
        headers: { 'content-type': 'application/json', ...failure.headers },
        body: Buffer.from(text, encoding),
    };
}

const gate = (prismPort, scheme) => async (req, res) => {
    const body = await readAll(req);
    const origin = `${scheme}://${req.headers.host}`;
    const entry = {
        method: req.method, path: req.url.split('?')[0], query: req.url.split('?')[1] ?? '',
        authorization: req.headers.authorization?.split(' ')[0] ?? null,
        content_type: req.headers['content-type'] ?? null, headers: { ...req.headers },
        body: body.toString(), status: null,
    };
    delete entry.headers.authorization;
    state.requests.push(entry);
    const failure = takeFailure(entry);
    let answer;

    try {
        if (failure?.when !== 'after' && failure)
            answer = await failWith(failure);
        else
            answer = await serve(prismPort, req, body, origin);
        if (failure?.when === 'after')
            answer = await failWith(failure, answer);
    } catch (error) {
        if (!(error instanceof CentralError))
            throw error;
        answer = errorAnswer(error.status, error.code, error.message, error.headers);
    }
    entry.status = answer.status ?? 0;
    news.emit('request');
    if (answer.drop)
        req.socket.destroy();
    if (answer.drop || answer.hang)
        return;
    res.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
    res.end(req.method === 'HEAD' ? undefined : answer.body);
};

const OPERATIONS = {
    reset: () => reset(),
    set: (values) => {
        for (const key of Object.keys(values)) {
            if (!(key in DEFAULTS))
                throw new Error(`no option is called ${key}`);
        }
        Object.assign(state.options, values);
    },
    requests: (wanted) => ({ requests: state.requests.filter((one) => matches(one, wanted)) }),
    wait: async (wanted) => ({ count: await wait(wanted) }),
    clear: () => { state.requests.length = 0; },
    fail: ({ count = 1, match = {}, ...failure }) => {
        state.failures.push({ count, match, ...failure });
    },
    issue: ({ id, roles, seconds }) => ({ token: issue(state.tokens, id, roles, seconds).token }),
    tokens: () => ({ tokens: [...state.tokens.byId.keys()] }),
    expiry: ({ id }) => ({ expiry: state.tokens.byId.get(id)?.expiry }),
    revoke: ({ id }) => { state.tokens.byId.delete(id); },
    secrets: () => ({ secrets: state.tokens.secrets }),
};

const listen = (server) => new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
});

async function control(req, res) {
    let status = 200;
    let answer;

    try {
        const text = (await readAll(req)).toString();
        answer = await OPERATIONS[req.url.slice(1)](text ? JSON.parse(text) : {});
    } catch (error) {
        status = 500;
        answer = { error: error.message };
    }
    res.writeHead(status, { 'content-type': 'application/json' });
    res.end(JSON.stringify(answer ?? {}));
}

async function startPrism() {
    const prism = createServer(await getHttpOperationsFromSpec(centralSpec()), {
        cors: false,
        config: {
            checkSecurity: true, validateRequest: true, validateResponse: true, errors: true,
            isProxy: false, mock: { dynamic: false }, upstreamProxy: undefined,
        },
        components: { logger: createLogger('prism', { level: 'silent' }) },
    });

    return Number(new URL(await prism.listen(0, '127.0.0.1')).port);
}

async function main() {
    const folder = process.argv[3];
    const prismPort = await startPrism();
    const ports = {};

    reset();
    news.setMaxListeners(0);
    ports.plain = await listen(http.createServer(gate(prismPort, 'http')));
    if (folder) {
        const file = (name) => readFileSync(path.join(folder, name));
        ports.tls = await listen(https.createServer(
            { key: file('server.key'), cert: file('server.pem') }, gate(prismPort, 'https')));
    }
    ports.control = await listen(http.createServer(control));
    process.stdout.write(`${JSON.stringify(ports)}\n`);
    process.stdin.on('end', () => process.exit(0));
    process.stdin.resume();
}

await main();
