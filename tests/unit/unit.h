/* What every unit test's main() does: run the suite, print TAP, return the exit code. */
#ifndef ECYBER_TESTS_UNIT_H
#define ECYBER_TESTS_UNIT_H

#include <check.h>
#undef fail                          /* an old macro of Check; a member of struct ec_host */

/* Runs suite (takes it over), prints one TAP line for each case on stdout, and returns what main()
 * returns: 0 when all passed, 1 otherwise. CK_FORK=no runs the cases in this process. */
int unit_run(Suite *suite);

#endif
