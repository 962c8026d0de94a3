// SPDX-License-Identifier: MIT
//
// The failures that a test can order: an answer of its own instead of the server's, late, cut
// off, or none at all. "before" means that the provider never saw the request; "after" that it
// did, and has rotated the refresh token that the client now doesn't get.

import { entraError } from './errors.mjs';

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/*
 * failure: { status, headers, body (text, or an object for JSON), error (an OAuth error in Entra's
 * form, with code, suberror, claims, error_description), delay_ms, drop, truncate }. Without
 * status, body or error, an "after" failure leaves the provider's own answer as it is.
 */
export async function failWith(ctx, failure) {
    if (failure.delay_ms)
        await pause(failure.delay_ms);
    if (failure.drop) {
        ctx.respond = false;
        ctx.req.socket.destroy();
        return;
    }
    if (failure.error)
        ctx.body = entraError(failure.error, failure);
    else if (failure.body !== undefined)
        ctx.body = failure.body;
    else if (failure.when === 'before' || failure.status)
        ctx.body = '';
    if (failure.status || failure.error || failure.when === 'before')
        ctx.status = failure.status ?? (failure.error ? 400 : 503);
    if (failure.headers)
        ctx.set(failure.headers);
    if (failure.truncate) {
        const text = typeof ctx.body === 'string' ? ctx.body : JSON.stringify(ctx.body);

        ctx.respond = false;
        ctx.res.writeHead(ctx.status, {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(text),
        });
        ctx.res.write(text.slice(0, text.length / 2), () => ctx.req.socket.destroy());
    }
}
