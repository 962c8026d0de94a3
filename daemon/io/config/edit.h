/* SPDX-License-Identifier: MIT */
/*
 * Changing one group of a settings file and no other byte of it: a person's comments, order and
 * spacing stay, and so do the lines whose setting stays as it was. Text in, text out.
 */
#pragma once

#include <glib.h>
#include <iotc-util.h>

/* A few settings in order, each with its value as it is escaped in a file. */
typedef GKeyFile ConfigSettings;

ConfigSettings *config_settings_new(void);
/* NULL is fine. Returns NULL. */
ConfigSettings *config_settings_free(ConfigSettings *s);
/* Add one; lists are joined by semicolons. */
void config_settings_add(ConfigSettings *s, const char *key, const char *const *values, bool list);

/*
 * The text data[0..n), free of bad lines, with the group changed from old to new. A setting of old
 * that new hasn't got is taken out; one that differs is written in its place; one that is in
 * neither is left, so old has to be what the group's lines mean. Without the group, one is added at
 * the end.
 */
GString *config_edit_group(const char *data, size_t n, const char *group, const ConfigSettings *old,
                           const ConfigSettings *new);
/* The text without the group's header and settings, and the comments between them. */
GString *config_edit_remove(const char *data, size_t n, const char *group);

CLEANUP_FUNC(ConfigSettings, config_settings_free)
