/* SPDX-License-Identifier: MIT */
#include <getopt.h>

#include "arguments.h"
#include "io/log.h"

static void print_help(void) {
        printf("Usage: iotc-tokend [--replace] [--verbose]\n"
               "\n"
               "Keeps Azure IoT Central tokens fresh and serves them on the session bus as\n"
               "org.iotc.Token1. It is started when it is first needed; see iotc-tokend(8).\n"
               "\n"
               "  --replace   end the user's running daemon, of whatever bus, and take its place\n"
               "  --verbose   log what is done, step by step (never a secret)\n"
               "  --version   print the version\n"
               "  --help      print this text\n");
}

/* What was asked for is printed, or that is said. */
static int print_end(int *ret_status) {
        if (fflush(stdout) != 0) {
                fprintf(stderr, "iotc-tokend: can't write to standard output: %s\n",
                        strerror(errno));
                *ret_status = EXIT_FAILURE;
        }
        return 0;
}

int arguments_parse(bool *ret_replace, int argc, char **argv, int *ret_status) {
        static const struct option options[] = {
                { "replace", no_argument, NULL, 'r' },
                { "verbose", no_argument, NULL, 'v' },
                { "version", no_argument, NULL, 'V' },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        int c;

        *ret_replace = false;
        *ret_status = EXIT_SUCCESS;
        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'r':
                        *ret_replace = true;
                        break;
                case 'v':
                        log_set_max_level(LOG_DEBUG);
                        break;
                case 'V':
                        printf("iotc-tokend %s\n", IOTC_VERSION);
                        return print_end(ret_status);
                case 'h':
                        print_help();
                        return print_end(ret_status);
                default:
                        *ret_status = 2;
                        break;
                }
        if (optind < argc)
                *ret_status = 2;
        if (*ret_status == 2)
                fprintf(stderr, "Usage: iotc-tokend [--replace] [--verbose]\n");
        return *ret_status == 0;
}
