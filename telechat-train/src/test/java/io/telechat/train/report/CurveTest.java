// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.LongToDoubleFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class CurveTest {
    private static Curve curve(int points, LongToDoubleFunction value) {
        return new Curve(LongStream.rangeClosed(1, points)
                .mapToObj(s -> new Curve.Point(s, value.applyAsDouble(s)))
                .toList());
    }

    @Test
    void anEnvelopeLosesNoPeakAndKeepsTheOrder() {
        Curve all = curve(10_000, s -> s == 4321 ? 99 : s == 7777 ? -5 : Math.sin(s));
        Curve envelope = all.envelope(100);
        assertTrue(envelope.points().size() <= 200, "size");
        assertTrue(envelope.points().contains(new Curve.Point(4321, 99)), "peak");
        assertTrue(envelope.points().contains(new Curve.Point(7777, -5)), "trough");
        for (int i = 1; i < envelope.points().size(); i++) {
            assertTrue(
                    envelope.points().get(i - 1).step()
                            < envelope.points().get(i).step(),
                    "order");
        }
    }

    @Test
    void aShortCurveStaysAsItIs() {
        Curve all = curve(200, s -> s);
        assertEquals(all, all.envelope(100));
        assertEquals(all, all.thinned(200));
    }

    @Test
    void thinningEndsWithTheLastPoint() {
        Curve thin = curve(1001, s -> s).thinned(100);
        assertEquals(100, thin.points().size());
        assertEquals(1001, thin.points().getLast().step());
    }

    @Test
    void theMeanOfAShortRunIsNearItsValues() {
        Curve falling = curve(20, s -> 8 - 0.1 * s);
        Curve smooth = falling.smoothed();
        for (int i = 0; i < 20; i++) {
            assertEquals(falling.points().get(i).value(), smooth.points().get(i).value(), 0.1); // a step's worth
        }
    }

    @Test
    void theMeanOfEqualValuesIsTheirValueFromTheFirstOnAndLeavesOutWhatIsNoNumber() {
        Curve smooth = curve(300, s -> s == 5 ? Double.NaN : 2.5).smoothed();
        assertEquals(299, smooth.points().size());
        smooth.points().forEach(p -> assertEquals(2.5, p.value(), 1e-12));
    }
}
