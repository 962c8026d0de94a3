// SPDX-License-Identifier: MIT
//
// What the Entra stand-in remembers and what a test may change while it runs: options, the list
// of requests, the queue of failures to make, held answers, and every secret that was issued
// (for the check that none of them shows up in a log). One process serves one test at a time, so
// this is a module of plain values; reset() makes it new.

import { EventEmitter } from 'node:events';

export const TENANT = '7d1b4b1e-8f4b-4c07-9a52-1f6d5c0e2a11';
export const TENANT_ALIASES = ['common', 'organizations', 'contoso.example', TENANT];
export const CLIENT_AZURE_CLI = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';
export const CLIENT_OWN = '3f1c2d5a-6b7e-4f80-9a1b-2c3d4e5f6071';
export const CLIENT_SERVICE = '5b6c7d8e-9fa0-4b1c-8d2e-3f4051627384';
export const CLIENT_SERVICE_SECRET = 'service-secret~for.tests-0123456789';

const DEFAULTS = {
    user: 'ada@contoso.example',    // who signs in, when approve() names nobody
    interval: 1,                    // seconds, as the device answer says; Entra's is 5
    device_code_ttl: 900,           // seconds
    access_token_ttl: 3600,         // seconds
    refresh_token_ttl: 90 * 86400,  // seconds
    refresh_in: null,               // seconds, or null: the field is absent
    rotation: 'entra',              // 'entra': an old refresh token goes on working; 'strict'
    numbers_as_strings: false,      // "expires_in": "3600", as v1-like endpoints do
    message: true,                  // the device answer has a text for the person
    date_offset: 0,                 // seconds that the Date header is off
    subscriptions: [],              // what management.azure.com lists
    resources: [                    // what a token may be for
        'https://apps.azureiotcentral.com',
        'https://management.core.windows.net/',
        'https://management.azure.com',
        'https://graph.microsoft.com',
        'https://other.example',
    ],
};

export const options = {};
export const requests = [];
export const failures = [];
export const secrets = new Set();
export const store = new Map();         // what oidc-provider keeps
export const news = new EventEmitter(); // 'request' after each one that was recorded or answered

let held = null;                        // { promise, release } while answers are held back
let kept = { store: new Map(), secrets: [] };

export function reset() {
    for (const key of Object.keys(options))
        delete options[key];
    Object.assign(options, structuredClone(DEFAULTS));
    requests.length = 0;
    failures.length = 0;
    secrets.clear();
    [CLIENT_SERVICE_SECRET, ...kept.secrets].forEach((secret) => secrets.add(secret));
    store.clear();
    structuredClone(kept.store).forEach((payload, key) => store.set(key, payload));
    release();
}

// From now on reset() comes back to the grants and tokens of this moment.
export function keep() {
    kept = { store: structuredClone(store), secrets: [...secrets] };
}

// Throws on a name that no option has, so that a test's typing error is not silence.
export function set(values) {
    for (const [key, value] of Object.entries(values)) {
        if (!(key in DEFAULTS))
            throw new Error(`no option is called ${key}`);
        options[key] = value;
    }
}

export function record(entry) {
    requests.push({ n: requests.length + 1, at: Date.now(), status: null, ...entry });
    news.emit('request');
    return requests[requests.length - 1];
}

export function answered(entry, values) {
    Object.assign(entry, values);
    news.emit('request');
}

const matches = (entry, wanted) => ['kind', 'grant_type', 'resource', 'via', 'status']
    .every((key) => wanted[key] === undefined || wanted[key] === entry[key]);

export function select(wanted) {
    return requests.filter((entry) => matches(entry, wanted));
}

// Resolves to the number of matching requests once there are wanted.count, or at the deadline.
export function wait(wanted) {
    return new Promise((resolve) => {
        const finish = () => {
            clearTimeout(timer);
            news.off('request', look);
            resolve(select(wanted).length);
        };
        const look = () => {
            if (select(wanted).length >= (wanted.count ?? 1))
                finish();
        };
        const timer = setTimeout(finish, (wanted.timeout ?? 20) * 1000);
        news.on('request', look);
        look();
    });
}

// The failure that this request is to meet, taken off the queue, or undefined.
export function takeFailure(entry) {
    const i = failures.findIndex((failure) => matches(entry, { kind: 'token', ...failure.match }));

    if (i < 0)
        return undefined;
    const failure = failures[i];
    failure.count -= 1;
    if (failure.count <= 0)
        failures.splice(i, 1);
    return failure;
}

export function hold() {
    if (held)
        return;
    held = {};
    held.promise = new Promise((resolve) => { held.release = resolve; });
}

export function release() {
    held?.release();
    held = null;
}

export const whenReleased = () => held?.promise;

reset();
news.setMaxListeners(0);
