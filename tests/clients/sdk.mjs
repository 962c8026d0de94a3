// SPDX-License-Identifier: MIT
//
// A program of somebody who never heard of iotc-token: it gets a token for a scope by the
// credential that is named, as the Azure SDK's documentation says, and prints it as JSON.
//
//     node sdk.mjs CREDENTIAL SCOPE

import * as identity from '@azure/identity';

const [name, scope] = process.argv.slice(2);

try {
    const token = await new identity[name]().getToken(scope);
    console.log(JSON.stringify({ token: token.token, expires: token.expiresOnTimestamp }));
} catch (error) {
    console.log(JSON.stringify({ error: error.name, message: error.message }));
    process.exitCode = 1;
}
