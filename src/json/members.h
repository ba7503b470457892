/* json/members.h - the fast way through the texts that programs write; included by src/json, and by
 * the tests that compare it with the scanner. */
#ifndef TG_JSON_MEMBERS_H
#define TG_JSON_MEMBERS_H

#include "json/json.h"

/*
 * The members of a canonical object whose strings are plain ASCII without escapes. False is no verdict:
 * the scanner is to be asked, which also says what is wrong. True is one: it says the same.
 */
bool tg_json_members_plain(tg_bytes text, struct tg_json_member *ret, size_t max, size_t *ret_n);

#endif
