// SPDX-License-Identifier: MIT
//
// The person's part of a sign-in, done over plain HTTP as a browser would: open the page, fill in
// the forms that it shows, follow the redirects, keep the cookies. node:http and not fetch(),
// because Debian's node 18 gives no list of Set-Cookie headers there.

import http from 'node:http';
import querystring from 'node:querystring';

class Browser {
    constructor(isOurs) {
        this.isOurs = isOurs;   // tells our server's URLs from the client's redirect URI
        this.cookies = new Map();
    }

    request(method, url, form) {
        const body = form ? querystring.stringify(form) : undefined;

        return new Promise((resolve, reject) => {
            const req = http.request(url, {
                method,
                agent: false,
                headers: {
                    accept: 'text/html',
                    cookie: [...this.cookies].map(([k, v]) => `${k}=${v}`).join('; '),
                    ...(body ? {
                        'content-type': 'application/x-www-form-urlencoded',
                        'content-length': Buffer.byteLength(body),
                    } : {}),
                },
            }, (res) => {
                let text = '';

                for (const cookie of res.headers['set-cookie'] ?? []) {
                    const [name, value] = cookie.split(';')[0].split('=');
                    this.cookies.set(name, value);
                }
                res.setEncoding('utf8');
                res.on('data', (chunk) => { text += chunk; });
                res.on('end', () => resolve({ url, res, text }));
            });
            req.on('error', reject);
            req.end(body);
        });
    }

    // Ask, then follow redirects; the last one may lead to the client's own loopback server.
    async go(method, url, form) {
        let page = await this.request(method, url, form);

        while (page.res.statusCode >= 300 && page.res.statusCode < 400) {
            const next = new URL(page.res.headers.location, page.url).href;

            page = await this.request('GET', next);
            page.left = !this.isOurs(next);
        }
        return page;
    }

    // Send the page's form with its hidden fields and these.
    submit(page, fields) {
        const action = /<form [^>]*action="([^"]+)"/.exec(page.text)?.[1];
        const form = {};

        if (!action)
            throw new Error(`no form on page ${page.res.statusCode}: ${page.text.slice(0, 300)}`);
        for (const [input] of page.text.matchAll(/<input type="hidden"[^>]*>/g))
            form[/name="([^"]*)"/.exec(input)[1]] = /value="([^"]*)"/.exec(input)[1];
        for (const [name, value] of Object.entries(fields)) {
            if (value === undefined)
                delete form[name];
            else
                form[name] = value;
        }
        return this.go('POST', new URL(action, page.url).href, form);
    }

    async signIn(page, user) {
        while (!page.left && /name="prompt" value="(login|consent)"/.test(page.text)) {
            const login = page.text.includes('value="login"');

            page = await this.submit(page, login ? { login: user, password: 'x' } : {});
        }
        return page;
    }
}

function expect(page, pattern) {
    if (!pattern.test(page.text))
        throw new Error(`unexpected page (${page.res.statusCode}): ${page.text.slice(0, 400)}`);
}

// Enter a device code and approve it as user.
export async function approve(origin, userCode, user) {
    const browser = new Browser((url) => url.startsWith(origin));
    let page = await browser.go('GET', `${origin}/device`);

    page = await browser.submit(page, { user_code: userCode });
    expect(page, /name="confirm"/);
    page = await browser.submit(page, {});
    page = await browser.signIn(page, user);
    expect(page, /Sign-in Success/);
}

// Enter a device code and press "cancel".
export async function deny(origin, userCode) {
    const browser = new Browser((url) => url.startsWith(origin));
    let page = await browser.go('GET', `${origin}/device`);

    page = await browser.submit(page, { user_code: userCode });
    expect(page, /name="confirm"/);
    await browser.submit(page, { confirm: undefined, abort: 'yes' });
}

// Open an authorize URL, sign in, and follow the redirect to the client. Gives the client's page.
export async function browse(origin, url, user) {
    const browser = new Browser((other) => other.startsWith(origin));
    const page = await browser.signIn(await browser.go('GET', url), user);

    return { url: page.url.split('?')[0], status: page.res.statusCode, text: page.text };
}

// Open an authorize URL and press "cancel" at the sign-in. Gives the client's page.
export async function decline(origin, url) {
    const browser = new Browser((other) => other.startsWith(origin));
    const page = await browser.go('GET', url);
    const cancel = /href="([^"]+\/abort)"/.exec(page.text)?.[1];

    expect(page, /\/abort"/);
    const last = await browser.go('GET', new URL(cancel, page.url).href);
    return { url: last.url.split('?')[0], status: last.res.statusCode, text: last.text };
}
