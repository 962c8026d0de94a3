// SPDX-License-Identifier: MIT
//
// IoT Central's own description of its REST API (tests/data/iotcentral-api, unchanged), rewritten
// for prism, which reads neither basePath nor x-ms-examples and lets any api-version pass.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = path.join(path.dirname(fileURLToPath(import.meta.url)), '../data/iotcentral-api');
const read = (name) => JSON.parse(readFileSync(path.join(FOLDER, name), 'utf8'));

export const API_VERSION = '2022-07-31';

// The recorded answers become the examples that prism gives out.
function giveExamples(operation) {
    for (const { $ref } of Object.values(operation['x-ms-examples'] ?? {})) {
        let example;
        try {
            example = read($ref);
        } catch {
            continue;       // one that no test needs was not copied
        }
        for (const [status, { body }] of Object.entries(example.responses)) {
            if (body && operation.responses[status])
                operation.responses[status].examples ??= { 'application/json': body };
        }
    }
    delete operation['x-ms-examples'];
}

export function centralSpec() {
    const spec = read('iotcentral.json');

    spec.parameters.Version.enum = [API_VERSION];
    spec.paths = Object.fromEntries(Object.entries(spec.paths).map(([name, operations]) => {
        Object.values(operations).forEach(giveExamples);
        return [spec.basePath + name, operations];
    }));
    delete spec.basePath;
    delete spec['x-ms-parameterized-host'];
    return spec;
}
