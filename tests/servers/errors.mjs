// SPDX-License-Identifier: MIT
//
// Turns an OAuth error of oidc-provider into one as Entra words it: error_codes, a description
// that starts with AADSTS and a number, trace and correlation ids, a time. The reason that
// oidc-provider keeps to itself (its grant.error event) picks the number.

import { randomUUID } from 'node:crypto';

const BY_REASON = [
    [/^device code not found/, 'bad_verification_code', 70019, 'Verification code not recognised.'],
    [/^device code already consumed/, 'invalid_grant', 54005,
        'OAuth2 Authorization code was already redeemed.'],
    [/^grant not found|already used/, 'invalid_grant', 50173,
        'The provided grant has expired due to it being revoked, a fresh auth token is needed.',
        'bad_token'],
    [/^invalid secret provided/, 'invalid_client', 7000215,
        'Invalid client secret provided. Ensure the secret being sent in the request is the client '
        + 'secret value, not the client secret ID.'],
    [/^refresh token is expired/, 'invalid_grant', 700082,
        'The refresh token has expired due to inactivity.'],
    [/^refresh token not found/, 'invalid_grant', 9002313,
        'Invalid request. Request is malformed or invalid.'],
];

// error: [number, text, the name that Entra gives it, if another]
const BY_ERROR = {
    access_denied: [70000, 'The user declined the sign-in.', 'authorization_declined'],
    authorization_pending: [70016,
        'OAuth 2.0 device flow error. Authorization is pending. Continue polling.'],
    expired_token: [70020,
        'The provided value for the input parameter \'device_code\' has expired.'],
    interaction_required: [50076, 'You must use multi-factor authentication.'],
    invalid_client: [700016, 'Application was not found in the directory.', 'unauthorized_client'],
    invalid_grant: [70000, 'Provided grant is invalid or malformed.'],
    invalid_request: [900144, 'The request body is malformed or lacks a parameter.'],
    invalid_resource: [500011, 'The resource principal was not found in the tenant.'],
    invalid_scope: [70011, 'The provided value for the input parameter \'scope\' is not valid.'],
    invalid_target: [500011, 'The resource principal was not found.', 'invalid_resource'],
    invalid_tenant: [90002, 'Tenant not found. Check to make sure you have the correct tenant ID.'],
    temporarily_unavailable: [90033, 'A transient error has occurred. Please try again.'],
    unsupported_grant_type: [70003, 'The app requested an unsupported grant type.'],
};

// An error object as the token endpoint sends it. extra: code, suberror, claims, error_description.
export function entraError(error, extra = {}) {
    const known = BY_ERROR[error] ?? [50000, 'There was an error issuing a token.'];
    const code = extra.code ?? known[0];
    const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
    const trace = randomUUID();
    const correlation = extra.correlation_id ?? randomUUID();
    const text = extra.error_description ?? known[1];

    return {
        error: known[2] && !extra.code ? known[2] : error,
        error_description: `AADSTS${code}: ${text} Trace ID: ${trace} `
            + `Correlation ID: ${correlation} Timestamp: ${timestamp}`,
        error_codes: [code],
        timestamp,
        trace_id: trace,
        correlation_id: correlation,
        error_uri: `https://login.microsoftonline.com/error?code=${code}`,
        ...(extra.suberror ? { suberror: extra.suberror } : {}),
        ...(extra.claims ? { claims: extra.claims } : {}),
    };
}

export function fromProvider(error, reason) {
    const row = BY_REASON.find(([pattern]) => reason && pattern.test(reason));

    if (!row)
        return entraError(error);
    return entraError(row[1], { code: row[2], error_description: row[3], suberror: row[4] });
}
