// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

class RealFunctionsTest {
    /** Published digits. */
    @Test
    void knowsTheConstants() {
        assertTrue(RealFunctions.PI
                .toString()
                .startsWith("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899"));
        assertTrue(RealFunctions.exp(BigDecimal.ONE)
                .toString()
                .startsWith("2.71828182845904523536028747135266249775724709369995957496696762772407663035354759"));
        assertTrue(RealFunctions.log(BigDecimal.TEN)
                .toString()
                .startsWith("2.30258509299404568401799145468436420760110148862877297603332790096757260967735248"));
    }

    @Test
    void agreesWithDoubles() {
        for (double x : new double[] {-30, -3.5, -0.1, 0, 1e-9, 0.7, 1.4, 2, 9.99, 123.456, 1e5}) {
            BigDecimal exact = new BigDecimal(x);
            close(RealFunctions.sin(exact), Math.sin(x));
            close(RealFunctions.cos(exact), Math.cos(x));
            if (x < 100) {
                close(RealFunctions.exp(exact), Math.exp(x));
            }
            if (x > 0) {
                close(RealFunctions.log(exact), Math.log(x));
            }
            for (double y : new double[] {-2, 0, 0.3, 1e4}) {
                if (x != 0 || y != 0) {
                    close(RealFunctions.angle(exact, new BigDecimal(y)), Math.atan2(y, x));
                }
            }
        }
    }

    @Test
    void inverseFunctionsUndoEachOther() {
        BigDecimal x = new BigDecimal("0.123456789012345678901234567890123456789012345678901234567890");
        assertTrue(RealFunctions.exp(RealFunctions.log(x)).subtract(x).abs().compareTo(new BigDecimal("1e-110")) < 0);
        BigDecimal angle = RealFunctions.angle(RealFunctions.cos(x), RealFunctions.sin(x));
        assertTrue(angle.subtract(x).abs().compareTo(new BigDecimal("1e-110")) < 0);
    }

    @Test
    void refusesHugeArguments() {
        assertThrows(ArithmeticException.class, () -> RealFunctions.exp(new BigDecimal("1e9")));
        assertThrows(ArithmeticException.class, () -> RealFunctions.sin(new BigDecimal("1e90")));
    }

    private static void close(BigDecimal value, double expected) {
        assertEquals(expected, value.doubleValue(), 1e-13 * Math.max(1, Math.abs(expected)));
    }
}
