/* json/plain.h - the bytes of a string that mean themselves; included by src/json, and by who judges
 * the strings it has scanned. */
#ifndef TG_JSON_PLAIN_H
#define TG_JSON_PLAIN_H

#include "util/bytes.h"

/* How many bytes at the front are neither '"' nor '\' nor a control character below 0x20.
 * *ascii becomes false when one of them is 0x7f or above. */
size_t tg_json_plain_run(tg_bytes s, bool *ascii);
/* The same byte by byte: the reference. */
size_t tg_json_plain_run_slow(tg_bytes s, bool *ascii);

#endif
