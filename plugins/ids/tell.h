/* tell.h: what came of the rules, in the log. */
#ifndef IDS_TELL_H
#define IDS_TELL_H
struct ec_host;
struct ruleset;

/* Errors one by one (the first 100), words that are not supported with how many rules each leaves out (the first 30),
 * and one line with all counts. Every rule that was left out has a line of its own at the level debug. */
void tell_problems(const struct ec_host *h, const struct ruleset *s);
/* The first error as the reason of a failure. */
void tell_first(const struct ec_host *h, const struct ruleset *s);

#endif
