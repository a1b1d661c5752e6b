/* roles.h: the roles there are, as a set of bits. */
#ifndef AUTH_ROLES_H
#define AUTH_ROLES_H
#include <stddef.h>
#include <stdint.h>

#define ROLE_WORDS "admin,operator,analyst,viewer,sensor" /* in the order of the bits, and of EC_T_ENUM */
#define ROLES      5
enum { ROLE_ADMIN = 1, ROLE_OPERATOR = 2, ROLE_ANALYST = 4, ROLE_VIEWER = 8, ROLE_SENSOR = 16 };

void roles_print(uint32_t roles, char *to, size_t n);          /* "admin,viewer" */
int roles_parse(const char *text, size_t len, uint32_t *roles); /* 0, or −1: a word that is none */

#endif
