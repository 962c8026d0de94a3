/* SPDX-License-Identifier: MIT */
/*
 * Lists of IoT Central: {"value": [...], "nextLink": URL}, read page by page. A link to another
 * host, in a circle or without end is not followed.
 */
#pragma once

#include <json-c/json.h>

#include "api/session.h"

enum {
        PAGES_MAX = 20000 /* twice as many as 200,000 devices, the service's limit, have */
};

typedef struct Pages {
        char *next; /* the URL of the next page; NULL: there is none */
        char *mark; /* the first, second, fourth, eighth ... of them */
        unsigned n;
} Pages;

void pages_deinit(Pages *pages);
/* Valid JSON and UTF-8, to be freed by json_object_put(), or NULL. */
json_object *pages_read_json(const char *text, size_t n);
/* Valid JSON and UTF-8, as an object with an array "value"; to be freed by json_object_put(). NULL
 * for anything else. */
json_object *page_parse(const HttpReply *reply);
/*
 * After a page, which came from path (that may be pages->next): pages->next is the one that
 * follows, or NULL. Without, null or empty, its nextLink is the end; a relative one is on the same
 * application. 0, or an exit code when it can't be followed, which has been said.
 */
int pages_turn(Pages *pages, const Session *s, const char *path, json_object *page);
/* The elements of all pages of a list, as one array, to be freed by json_object_put(). 0 or an exit
 * code. */
int pages_get_all(Session *s, json_object **ret, const char *path);

static inline void json_objectp(json_object **object) {
        json_object_put(*object);
}
