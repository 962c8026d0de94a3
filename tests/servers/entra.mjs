// SPDX-License-Identifier: MIT
//
// An Entra stand-in for the tests and the demo: node entra.mjs [--tls FOLDER]. It listens on
// 127.0.0.1 only, on ports that the kernel picks: the identity server in plain HTTP and, with
// --tls, over TLS behind a CONNECT proxy (for az; the test CA is FOLDER/ca.pem); and a control
// port where a test asks and orders (below, OPERATIONS). When all is up it prints one line of
// JSON with the ports. It ends when its standard input closes, so that nothing is left running.

import http from 'node:http';
import https from 'node:https';

import { revokeAll } from './adapter.mjs';
import { azureAnswers, connectProxy, makeCertificate } from './azure.mjs';
import * as person from './person.mjs';
import { identityServer } from './provider.mjs';
import * as state from './state.mjs';

const listen = (server, port) => new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve(server.address().port);
    });
});

const close = (server) => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
    server.dropTunnels?.();
});

// What a network that is gone looks like: connections are refused. listening is kept per server.
async function stop(servers) {
    const up = servers.filter(({ server }) => server.listening);

    await Promise.all(up.map(({ server }) => close(server)));
}

async function start(servers) {
    for (const one of servers) {
        if (!one.server.listening)
            one.port = await listen(one.server, one.port);
    }
}

/*
 * The control port: POST /<operation> with a JSON object gives a JSON object.
 * Requests never carry a secret; secrets() is for the check that no log has one.
 */
const operations = (servers, origin) => ({
    reset: async () => { state.reset(); await start(servers); },
    keep: () => state.keep(),
    set: (values) => state.set(values),
    requests: (wanted) => ({ requests: state.select(wanted) }),
    wait: async (wanted) => ({ count: await state.wait(wanted) }),
    clear: () => { state.requests.length = 0; },
    fail: ({ when = 'before', count = 1, match = {}, ...failure }) => {
        state.failures.push({ when, count, match, ...failure });
    },
    heal: () => { state.failures.length = 0; },
    hold: () => state.hold(),
    release: () => state.release(),
    revoke: () => revokeAll(),
    approve: ({ user_code, user }) => (
        person.approve(origin(), user_code, user ?? state.options.user)),
    deny: ({ user_code }) => person.deny(origin(), user_code),
    browse: ({ url, user }) => person.browse(origin(), url, user ?? state.options.user),
    decline: ({ url }) => person.decline(origin(), url),
    secrets: () => ({ secrets: [...state.secrets] }),
    stop: () => stop(servers),
    start: () => start(servers),
});

function control(table) {
    return http.createServer(async (req, res) => {
        let status = 200;
        let answer;

        try {
            let text = '';
            for await (const chunk of req)
                text += chunk;
            const operation = table[req.url.slice(1)];
            if (!operation)
                throw new Error(`no operation ${req.url}`);
            answer = await operation(text ? JSON.parse(text) : {});
        } catch (error) {
            status = 500;
            answer = { error: error.message };
        }
        res.writeHead(status, { 'content-type': 'application/json' });
        res.end(JSON.stringify(answer ?? {}));
    });
}

async function main() {
    const tlsFolder = process.argv[2] === '--tls' ? process.argv[3] : null;
    const plain = { server: http.createServer(), port: 0 };
    const servers = [plain];

    plain.port = await listen(plain.server, 0);
    const origin = () => `http://127.0.0.1:${plain.port}`;
    const serve = identityServer(origin());
    plain.server.on('request', serve);

    if (tlsFolder) {
        const tls = { server: https.createServer(makeCertificate(tlsFolder)), port: 0 };
        const proxy = { server: connectProxy(() => tls.port), port: 0 };

        tls.server.on('request', (req, res) => azureAnswers(req, res) || serve(req, res));
        servers.push(tls, proxy);
        await start(servers);
    }

    const controlPort = await listen(control(operations(servers, origin)), 0);
    process.stdout.write(`${JSON.stringify({
        authority: origin(),
        control: controlPort,
        tls_port: servers[1]?.port,
        proxy_port: servers[2]?.port,
        tenant: state.TENANT,
        clients: {
            azure_cli: state.CLIENT_AZURE_CLI,
            own: state.CLIENT_OWN,
            service: state.CLIENT_SERVICE,
        },
        service_secret: state.CLIENT_SERVICE_SECRET,
    })}\n`);
    process.stdin.on('end', () => process.exit(0));
    process.stdin.resume();
}

await main();
