/* tensorguard/export.h - visibility and compiler attributes of the public headers. */
#ifndef TENSORGUARD_EXPORT_H
#define TENSORGUARD_EXPORT_H

#ifdef __cplusplus
#define TG_BEGIN_DECLS extern "C" {
#define TG_END_DECLS   }
#else
#define TG_BEGIN_DECLS
#define TG_END_DECLS
#endif

#define TG_API        __attribute__((visibility("default")))
#define TG_MUST_CHECK __attribute__((warn_unused_result))

#endif
