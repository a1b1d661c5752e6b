/* check.h: what a setting may be, beyond its type and length. */
#ifndef SETTINGS_CHECK_H
#define SETTINGS_CHECK_H
#include <stddef.h>

#define SETTINGS_NAME   64          /* characters of the system's name */
#define SETTINGS_MAILS  20
#define SETTINGS_MAIL   254         /* bytes of an address (RFC 5321 §4.5.3.1.3, without its brackets) */

/* NULL: good; else what is wrong, in the words of a 422. text: n bytes of UTF-8. */
const char *check_name(const char *text, size_t n);
const char *check_mail(const char *text, size_t n);

#endif
