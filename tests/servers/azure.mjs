// SPDX-License-Identifier: MIT
//
// What only the real az needs: a CONNECT proxy that leads every host to one TLS listener with a
// certificate of a test CA, instance discovery at login.microsoftonline.com, and the two lists of
// management.azure.com. With HTTPS_PROXY and REQUESTS_CA_BUNDLE set, an unmodified az signs in.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';

import { options, record, answered, TENANT } from './state.mjs';

const HOSTS = [
    'login.microsoftonline.com', 'management.azure.com', 'graph.microsoft.com', 'localhost',
];

// Makes ca.pem (what a client is to trust), server.pem and server.key in folder.
export function makeCertificate(folder) {
    const file = (name) => path.join(folder, name);
    const stdio = ['ignore', 'ignore', 'pipe'];
    const openssl = (...args) => execFileSync('openssl', args, { stdio });
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

    openssl('req', '-x509', ...ec, '-days', '2', '-subj', '/CN=iotc-token test CA',
        '-addext', 'keyUsage=critical,keyCertSign',
        '-keyout', file('ca.key'), '-out', file('ca.pem'));
    openssl('req', ...ec, '-subj', '/CN=localhost',
        '-keyout', file('server.key'), '-out', file('server.csr'));
    writeFileSync(file('server.ext'),
        `subjectAltName=${HOSTS.map((host) => `DNS:${host}`).join(',')},IP:127.0.0.1\n`);
    openssl('x509', '-req', '-in', file('server.csr'), '-CA', file('ca.pem'),
        '-CAkey', file('ca.key'), '-set_serial', '1', '-days', '2',
        '-extfile', file('server.ext'), '-out', file('server.pem'));
    return { key: readFileSync(file('server.key')), cert: readFileSync(file('server.pem')) };
}

export function connectProxy(tlsPort) {
    const proxy = http.createServer((req, res) => {
        res.writeHead(405);
        res.end();
    });
    const sockets = new Set();

    proxy.on('connect', (req, client, head) => {
        const server = net.connect(tlsPort(), '127.0.0.1', () => {
            client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
            server.write(head);
            server.pipe(client);
            client.pipe(server);
        });

        record({ kind: 'connect', host: req.url, via: 'proxy' });
        for (const socket of [client, server]) {
            sockets.add(socket);
            socket.on('error', () => {});
            socket.on('close', () => {
                sockets.delete(socket);
                client.destroy();
                server.destroy();
            });
        }
    });
    proxy.dropTunnels = () => sockets.forEach((socket) => socket.destroy());
    return proxy;
}

const tenants = () => [{
    id: `/tenants/${TENANT}`,
    tenantId: TENANT,
    displayName: 'Contoso',
    defaultDomain: 'contoso.example',
    tenantCategory: 'Home',
}];

const subscriptions = () => options.subscriptions.map((id) => ({
    id: `/subscriptions/${id}`,
    subscriptionId: id,
    tenantId: TENANT,
    displayName: 'Test subscription',
    state: 'Enabled',
    authorizationSource: 'RoleBased',
}));

const instances = () => ({
    tenant_discovery_endpoint:
        'https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration',
    'api-version': '1.1',
    metadata: [{
        preferred_network: 'login.microsoftonline.com',
        preferred_cache: 'login.windows.net',
        aliases: [
            'login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com',
            'sts.windows.net',
        ],
    }],
});

const PAGES = {
    '/common/discovery/instance': ['instance', instances],
    '/tenants': ['tenants', () => ({ value: tenants() })],
    '/subscriptions': ['subscriptions', () => ({ value: subscriptions() })],
};

// Answers a request of az that is not the identity provider's business; false when it is.
export function azureAnswers(req, res) {
    const page = PAGES[req.url.split('?')[0]];

    if (!page)
        return false;
    const entry = record({ kind: page[0], via: 'tls' });
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify(page[1]()));
    answered(entry, { status: 200 });
    return true;
}
