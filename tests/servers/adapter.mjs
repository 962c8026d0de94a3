// SPDX-License-Identifier: MIT
//
// Where oidc-provider keeps codes, tokens, grants and sessions: a Map. Its own memory adapter
// forgets what has expired, so that an expired device code looks unknown; Entra says
// expired_token, so this one keeps everything until the test ends. It is also where the two ways
// of rotation differ: at Entra, using a refresh token does not use it up.

import { options, store } from './state.mjs';

export default class Adapter {
    constructor(model) {
        this.model = model;
    }

    key(id) {
        return `${this.model}:${id}`;
    }

    async upsert(id, payload) {
        store.set(this.key(id), payload);
    }

    async find(id) {
        return store.get(this.key(id));
    }

    async destroy(id) {
        store.delete(this.key(id));
    }

    async consume(id) {
        const found = store.get(this.key(id));

        if (found && !(this.model === 'RefreshToken' && options.rotation === 'entra'))
            found.consumed = Math.floor(Date.now() / 1000);
    }

    async findBy(field, value) {
        for (const [key, payload] of store) {
            if (key.startsWith(`${this.model}:`) && payload[field] === value)
                return payload;
        }
        return undefined;
    }

    findByUid(uid) {
        return this.findBy('uid', uid);
    }

    findByUserCode(userCode) {
        return this.findBy('userCode', userCode);
    }

    async revokeByGrantId(grantId) {
        for (const [key, payload] of store) {
            if (key.startsWith(`${this.model}:`) && payload.grantId === grantId)
                store.delete(key);
        }
    }
}

// What an administrator's "revoke sessions" does: no grant and no session is left.
export function revokeAll() {
    for (const key of store.keys()) {
        if (key.startsWith('Grant:') || key.startsWith('Session:'))
            store.delete(key);
    }
}
