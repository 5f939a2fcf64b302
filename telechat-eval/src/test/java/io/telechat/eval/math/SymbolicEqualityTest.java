// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The verdicts are those of lm-eval 0.4.13 with SymPy 1.14. */
class SymbolicEqualityTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "\\frac{3}{4} ~ 0.75",
                "2^10 ~ 1024",
                "2^3^2 ~ 64",
                "10^{-3} ~ 0.001",
                "1.2\\times10^{-3} ~ 0.0012",
                "\\sqrt{50} ~ 5\\sqrt{2}",
                "\\sqrt[3]{54} ~ 3\\sqrt[3]{2}",
                "\\sqrt{3+2\\sqrt{2}} ~ 1+\\sqrt{2}",
                "\\frac{1}{\\sqrt{2}+\\sqrt{3}} ~ \\sqrt{3}-\\sqrt{2}",
                "(x+1)(x-1) ~ x^2-1",
                "\\frac{x^2-1}{x-1} ~ x+1",
                "\\frac{a}{b}+\\frac{c}{d} ~ \\frac{ad+bc}{bd}",
                "a^{b+c} ~ a^ba^c",
                "2\\cdot2^n ~ 2^{n+1}",
                "\\sqrt{4x} ~ 2\\sqrt{x}",
                "\\log_28 ~ 3",
                "\\ln2+\\ln3 ~ \\ln6",
                "\\log_{9}27 ~ 1.5",
                "2\\sin x\\cos x ~ \\sin2x",
                "\\cos(\\arcsin x) ~ \\sqrt{1-x^2}",
                "\\tan^{-1}(x) ~ \\arctan x",
                "\\frac{(n+1)!}{n!} ~ n+1",
                "\\binom{n}{2} ~ \\frac{n\\cdot(n-1)}{2}",
                "100! ~ 99!\\cdot100",
                "2^{2009} ~ 2\\cdot2^{2008}",
                "|x-y| ~ |y-x|",
                "\\lfloor-2.5\\rfloor ~ -3",
                "f(x+1) ~ f(1+x)",
                "x_{n+1} ~ x_{1+n}",
                "3\\pm\\sqrt{8} ~ 3\\pm2\\sqrt{2}",
                "AB ~ BA",
                "0^0 ~ 1",
                "(A) ~ A",
                "3x4 ~ 12",
                "0.7\\cdot1.1 ~ 0.77",
                "2:4 ~ 0.5",
                // only what comes before the comma, the subscript, the parenthesis is read
                "1,2 ~ 1,3",
                "1011_2 ~ 1011",
                "5(1,2) ~ 5",
                "50. ~ 5",
                "x^-2 ~ x",
            })
    void sameValue(String a, String b) {
        assertTrue(SymbolicEquality.holds(a, b));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "\\frac{1}{3} ~ 0.333333333333333",
                "\\frac{2}{3} ~ 0.6666666666666667",
                "2^{2009} ~ 2^{2009}-1",
                "\\pi ~ 3.141592653589793",
                "\\arctan1 ~ \\frac{\\pi}{4}",
                "e^{i\\pi} ~ -1",
                "\\ln e ~ 1",
                "\\sqrt{-4} ~ 2i",
                "\\sqrt[3]{-8} ~ -2",
                "\\sqrt{x^2} ~ x",
                "\\sqrt{x^4} ~ x^2",
                "|x| ~ \\sqrt{x^2}",
                "\\sqrt{x}\\sqrt{y} ~ \\sqrt{xy}",
                "\\sqrt{\\frac{1}{x}} ~ \\frac{1}{\\sqrt{x}}",
                "x(x+1) ~ x^2+x",
                "3\\frac{1}{2} ~ \\frac{7}{2}",
                "\\log_281 ~ \\log_{2}81",
                "2^{0.5} ~ \\sqrt{2}",
                "x^{0.5} ~ \\sqrt{x}",
                "1.1^2 ~ 1.21",
                "0.1\\cdot3 ~ 0.3",
                "\\infty ~ \\infty+1",
                "\\frac{1}{0} ~ \\frac{1}{0}",
                "0245 ~ 245",
                "7. ~ 7",
                ".5 ~ 0.5",
                "50\\% ~ 50",
                "(1,2) ~ (1,2)",
                "[2,5) ~ [2,5)",
                "\\{1,2\\} ~ \\{1,2\\}",
                "\\left|x\\right| ~ |x|",
                "x<5 ~ x<5",
                "x\\le5 ~ x\\le5",
                "\\sqrt2 ~ \\sqrt2",
                "24答案 ~ 24",
                "x\\\\y ~ x",
            })
    void notKnownToHaveTheSameValue(String a, String b) {
        assertFalse(SymbolicEquality.holds(a, b));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "2^{10^9}",
                "9^{9^{9^9}}",
                "100000000!",
                "((((5!)!)!)!)!",
                "\\binom{10^9}{10^8}",
                "\\exp(\\exp(\\exp(10)))",
                "x^{99999999999}",
                "(10^{12}x)!",
                "\\sin(10^{50})",
                "\\log0"
            })
    void endsEarlyWhereNumbersGrow(String formula) {
        assertTimeoutPreemptively(
                Duration.ofSeconds(5), () -> assertFalse(SymbolicEquality.holds(formula, "0+" + formula)));
    }

    @Test
    void endsEarlyWhereTextsAreLongOrDeep() {
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            for (String formula : new String[] {
                "(".repeat(5000) + "1" + ")".repeat(5000),
                "x".repeat(100_000),
                "9".repeat(500),
                "|".repeat(400),
                "|x".repeat(200),
                "x(x".repeat(100) + ")".repeat(100),
                "1,234".repeat(80),
                "\\log_" + "2".repeat(400),
                "\\sin x".repeat(80),
                "\\sqrt{".repeat(80) + "2" + "}".repeat(80)
            }) {
                assertFalse(SymbolicEquality.holds(formula, "y"));
            }
        });
    }
}
