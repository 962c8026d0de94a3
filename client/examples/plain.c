/* SPDX-License-Identifier: MIT */
/*
 * The shortest use of libiotc-token: the Authorization header for an application, on standard
 * output. cc plain.c $(pkg-config --cflags --libs iotc-token)
 */
#include <iotc-token.h>
#include <stdio.h>

int main(int argc, char **argv) {
        iotc_token_client *client;
        iotc_token *token;
        int r;

        if (iotc_token_open(&client) < 0)
                return 1;
        r = iotc_token_get_authorization(client, argc > 1 ? argv[1] : "", NULL, &token);
        if (r < 0) {
                fprintf(stderr, "%s\n", iotc_token_error_text(client));
        } else {
                printf("Authorization: %s\n", iotc_token_value(token));
                iotc_token_free(token);
        }
        iotc_token_close(client);
        return r < 0;
}
