// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RationalTest {
    @Test
    void roundsLikeDoubles() {
        Random random = new Random(5);
        for (int i = 0; i < 200; i++) {
            BigDecimal value = new BigDecimal(BigInteger.valueOf(random.nextLong()), random.nextInt(40) - 10);
            assertEquals(
                    Rational.of(new BigDecimal(value.doubleValue())),
                    Rational.of(value).rounded(53));
        }
    }

    @Test
    void findsExactRoots() {
        Rational root = Rational.of(new BigDecimal("1.5"));
        assertEquals(Optional.of(root), Rational.of(new BigDecimal("2.25")).root(2));
        assertEquals(Optional.of(Rational.of(2)), Rational.of(8).root(3));
        assertEquals(Optional.empty(), Rational.of(2).root(2));
    }

    @Test
    void powersOfNegativeExponentsAreInverses() {
        Rational eighth = Rational.of(new BigDecimal("-0.125"));
        assertEquals(eighth, Rational.of(-2).power(BigInteger.valueOf(-3)));
        assertEquals(Rational.MINUS_ONE, Rational.MINUS_ONE.power(BigInteger.valueOf(7)));
    }

    @Test
    void floorsTowardsMinusInfinity() {
        assertEquals(BigInteger.valueOf(-3), Rational.of(new BigDecimal("-2.5")).floor());
        assertEquals(BigInteger.valueOf(-2), Rational.of(-2).floor());
    }

    @Test
    void refusesWhatIsTooLargeOrUndefined() {
        assertThrows(ArithmeticException.class, () -> Rational.of(3).power(BigInteger.valueOf(1_000_000_000)));
        assertThrows(ArithmeticException.class, () -> Rational.ZERO.power(BigInteger.valueOf(-1)));
    }
}
