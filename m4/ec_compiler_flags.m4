dnl EC_TRY_CFLAG(FLAGS): append FLAGS to EC_CFLAGS when the compiler takes them without a warning.
AC_DEFUN([EC_TRY_CFLAG],
[AS_VAR_PUSHDEF([cache], [ec_cv_cflag_$1])
AC_CACHE_CHECK([whether $CC accepts $1], [cache],
  [ec_saved_CFLAGS=$CFLAGS
   CFLAGS="$CFLAGS -Werror $1"
   AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[]], [[]])], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
   CFLAGS=$ec_saved_CFLAGS])
AS_VAR_IF([cache], [yes], [EC_CFLAGS="$EC_CFLAGS $1"])
AS_VAR_POPDEF([cache])])

dnl EC_COMPILER_FLAGS: sets EC_CFLAGS, EC_LDFLAGS (everything), EC_PROGRAM_LDFLAGS (programs only),
dnl EC_MODULE_LDFLAGS (plugins only), FUZZ_LDFLAGS, and the conditionals FUZZING and SANITIZED.
AC_DEFUN([EC_COMPILER_FLAGS],
[EC_CFLAGS="-std=gnu11 -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition"
EC_CFLAGS="$EC_CFLAGS -Wvla -Wwrite-strings -Wpointer-arith -Wformat=2"
EC_TRY_CFLAG([-fvisibility=hidden])
EC_TRY_CFLAG([-fstack-protector-strong])
EC_TRY_CFLAG([-fstack-clash-protection])
EC_TRY_CFLAG([-fcf-protection])
EC_TRY_CFLAG([-fPIE])
EC_TRY_CFLAG([-fno-common])
AS_IF([test "x$enable_werror" = xyes], [EC_CFLAGS="$EC_CFLAGS -Werror"])
EC_LDFLAGS="-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack"
EC_PROGRAM_LDFLAGS="-pie"
EC_MODULE_LDFLAGS=""
FUZZ_LDFLAGS=""

AS_IF([test "x$enable_sanitizers" != xno],
  [EC_CFLAGS="$EC_CFLAGS -fsanitize=$enable_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
   EC_LDFLAGS="$EC_LDFLAGS -fsanitize=$enable_sanitizers"],
  [dnl A plugin links to nothing of the daemon: an undefined symbol is an error at link time.
   EC_MODULE_LDFLAGS="-Wl,-z,defs"
   AC_MSG_CHECKING([whether the compiler optimises (for _FORTIFY_SOURCE)])
   AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#ifndef __OPTIMIZE__
#error not optimising
#endif
]])],
    [AC_MSG_RESULT([yes])
     EC_CFLAGS="$EC_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"],
    [AC_MSG_RESULT([no])])])

AS_IF([test "x$enable_fuzzing" = xyes],
  [EC_CFLAGS="$EC_CFLAGS -fsanitize=fuzzer-no-link"
   FUZZ_LDFLAGS="-fsanitize=fuzzer"
   AC_MSG_CHECKING([whether $CC has libFuzzer])
   ec_saved_CFLAGS=$CFLAGS
   CFLAGS="$CFLAGS $EC_CFLAGS $FUZZ_LDFLAGS"
   AC_LINK_IFELSE([AC_LANG_SOURCE([[
#include <stddef.h>
#include <stdint.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return size > 9 && data[0] == 1; }
]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([--enable-fuzzing needs clang with libFuzzer: CC=clang and Debian's libclang-rt-14-dev])])
   CFLAGS=$ec_saved_CFLAGS])

AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
AM_CONDITIONAL([SANITIZED], [test "x$enable_sanitizers" != xno])
AC_SUBST([EC_CFLAGS])
AC_SUBST([EC_LDFLAGS])
AC_SUBST([EC_PROGRAM_LDFLAGS])
AC_SUBST([EC_MODULE_LDFLAGS])
AC_SUBST([FUZZ_LDFLAGS])
AC_SUBST([enable_sanitizers])
AC_SUBST([enable_fuzzing])])
