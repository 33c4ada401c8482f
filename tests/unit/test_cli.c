/* Command-line table: values, defaults, ranges and messages. gen/cli.c belongs to the program, not to the library, so
 * it is compiled in here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "cli.c"

static const cli_option options[] = {{"images", 'n', CLI_INT, "N", "100", 1, 10000, "images"},
                                     {"seed", 0, CLI_INT, "N", NULL, 0, 0, "any number"},
                                     {"ratio", 'r', CLI_REAL, "X", "0.5", 0, 1, "a ratio"},
                                     {"method", 'm', CLI_CHOICE, "minmax|percentile|mse", "mse", 0, 0, "a method"},
                                     {"bits", 'b', CLI_INTS, "LIST", "8", 2, 8, "bit widths"},
                                     {"out", 'o', CLI_TEXT, "FILE", NULL, 0, 0, "a file"},
                                     {"verbose", 'v', CLI_FLAG, NULL, NULL, 0, 0, "more words"},
                                     {0}};
static const cli_spec spec = {"test", "A [B]", 1, 2, "A command.", options};

/* Parses a line split at blanks. */
static lt_code parse(cli *c, const char *line, lt_err *err)
{
    static char text[256];
    static char *argv[32];
    int argc = 0;

    snprintf(text, sizeof text, "test %s", line);
    for (char *s = strtok(text, " "); s; s = strtok(NULL, " ")) argv[argc++] = s;
    argv[argc] = NULL;
    return cli_parse(c, &spec, argc, argv, err);
}

static void defaults_hold_unless_given(void **state)
{
    cli c;
    lt_err err = {0};
    int n;
    (void)state;

    assert_int_equal(parse(&c, "x", &err), LT_OK);
    assert_int_equal(cli_int(&c, "images"), 100);
    assert_int_equal(cli_int(&c, "seed"), 0);
    assert_false(cli_given(&c, "seed"));
    assert_true(cli_real(&c, "ratio") == 0.5);
    assert_int_equal(cli_choice(&c, "method"), 2);
    assert_string_equal(cli_text(&c, "method"), "mse");
    assert_int_equal(cli_ints(&c, "bits", &n)[0], 8);
    assert_int_equal(n, 1);
    assert_null(cli_text(&c, "out"));
    assert_false(cli_flag(&c, "verbose"));
    assert_int_equal(c.n_args, 1);
    assert_string_equal(c.args[0], "x");
    cli_free(&c);
}

static void values_are_taken(void **state)
{
    cli c;
    lt_err err = {0};
    int n;
    (void)state;

    assert_int_equal(parse(&c, "-n 0x20 a --seed=-5 -r .25 --method minmax -b 2,4,8 b -vo f", &err), LT_OK);
    assert_int_equal(cli_int(&c, "images"), 32);
    assert_int_equal(cli_int(&c, "seed"), -5);
    assert_true(cli_given(&c, "seed"));
    assert_true(cli_real(&c, "ratio") == 0.25);
    assert_int_equal(cli_choice(&c, "method"), 0);
    const int *bits = cli_ints(&c, "bits", &n);
    assert_int_equal(n, 3);
    assert_int_equal(bits[0] * 100 + bits[1] * 10 + bits[2], 248);
    assert_string_equal(cli_text(&c, "out"), "f");
    assert_true(cli_flag(&c, "verbose"));
    assert_int_equal(c.n_args, 2);
    assert_string_equal(c.args[1], "b");
    cli_free(&c);

    /* the last one counts; what follows -- is no option */
    assert_int_equal(parse(&c, "-n 1 -n 2 -b 3 -b 4,5 -- --images", &err), LT_OK);
    assert_int_equal(cli_int(&c, "images"), 2);
    assert_int_equal(cli_ints(&c, "bits", &n)[1], 5);
    assert_string_equal(c.args[0], "--images");
    cli_free(&c);
}

static void wrong_values_are_named(void **state)
{
    static const struct {
        const char *line, *msg;
    } cases[] = {
        {"x -n 0", "lutra test: --images: got '0', expected an integer in 1..10000"},
        {"x -n 10001", "lutra test: --images: got '10001', expected an integer in 1..10000"},
        {"x --images 5x", "lutra test: --images: got '5x', expected an integer in 1..10000"},
        {"x --images=", "lutra test: --images: got '', expected an integer in 1..10000"},
        {"x --seed 99999999999999999999", "lutra test: --seed: got '99999999999999999999', expected an integer"},
        {"x -r 1.5", "lutra test: --ratio: got '1.5', expected a number in 0..1"},
        {"x -r inf", "lutra test: --ratio: got 'inf', expected a number in 0..1"},
        {"x -m mean", "lutra test: --method: got 'mean', expected minmax|percentile|mse"},
        {"x -m min", "lutra test: --method: got 'min', expected minmax|percentile|mse"},
        {"x -b 4,9", "lutra test: --bits: got '4,9', expected integers a,b,c in 2..8"},
        {"x -b 4,,5", "lutra test: --bits: got '4,,5', expected integers a,b,c in 2..8"},
        {"x -b 4,", "lutra test: --bits: got '4,', expected integers a,b,c in 2..8"},
        {"x --imges 4", "lutra test: unknown option '--imges'; did you mean '--images'?"},
        {"x --qqqqqq", "lutra test: unknown option '--qqqqqq'; see --help"},
        {"", "lutra test: missing argument, expected A [B]"},
        {"x y z", "lutra test: unexpected argument 'z', expected only A [B]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cli c;
        lt_err err = {0};
        assert_int_equal(parse(&c, cases[i].line, &err), LT_EINPUT);
        assert_string_equal(err.msg, cases[i].msg);
    }
}

static void too_many_integers_are_refused(void **state)
{
    char line[256] = "x -b 2";
    cli c;
    lt_err err = {0};
    int n;
    (void)state;

    for (int i = 1; i < CLI_MAX_INTS; i++) strcat(line, ",2");
    assert_int_equal(parse(&c, line, &err), LT_OK);
    cli_ints(&c, "bits", &n);
    assert_int_equal(n, CLI_MAX_INTS);
    cli_free(&c);
    strcat(line, ",2");
    assert_int_equal(parse(&c, line, &err), LT_EINPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold_unless_given),
        cmocka_unit_test(values_are_taken),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(too_many_integers_are_refused),
    };
    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
