#include "tests/unit/unit.h"

#include <stdio.h>

int unit_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    setvbuf(stdout, NULL, _IOLBF, 0);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
