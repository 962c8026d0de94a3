/* SPDX-License-Identifier: MIT */
#include "util-service.h"

/* It comes in, and is answered a moment later. */
void service_answer(Fetch *f, void *userdata) {
        Service *service = userdata;
        bool *came_in = fake_fetch_note(f, sizeof(*came_in));
        char token[32];

        if (!*came_in) {
                *came_in = true;
                assert(service->n < ARRAY_SIZE(service->sent));
                service->sent[service->n++] = clock_boottime();
                fake_fetch_again(f, service->delay ?: SEC(1) / 10);
                return;
        }
        snprintf(token, sizeof(token), "secret-at-%u", service->n);
        if (service->outcome == OUTCOME_OK)
                fake_fetch_token(
                        f, &(FakeToken){ .access_token = token, .expires_in = service->life });
        else
                fake_fetch_error(f, service->outcome, 0);
}

unsigned service_most(const Service *service) {
        unsigned most = 0;

        for (unsigned i = 0; i < service->n; i++) {
                uint64_t end = service->sent[i] + SERVICE_WINDOW;
                unsigned n = 0;

                for (unsigned j = i; j < service->n && service->sent[j] < end; j++)
                        n++;
                most = MAX(most, n);
        }
        return most;
}
