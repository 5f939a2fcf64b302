// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The table against the published way to make it, codes against a look at all values. */
public class DynamicCodeTest {
    private static DynamicCode code(boolean signed) {
        return signed ? DynamicCode.SIGNED : DynamicCode.UNSIGNED;
    }

    private static float[] values(DynamicCode code) {
        byte[] codes = new byte[256];
        for (int i = 0; i < 256; i++) {
            codes[i] = (byte) i;
        }
        float[] values = new float[256];
        code.decode(codes, 1, values, 256);
        return values;
    }

    private static int encode(DynamicCode code, float x) {
        byte[] codes = new byte[1];
        code.encode(new float[] {x}, codes, 1);
        return codes[0] & 0xff;
    }

    /** As {@code create_dynamic_map} of bitsandbytes makes it: the means of neighbouring bounds, decade by decade. */
    public static double[] published(boolean signed) {
        List<Double> all = new ArrayList<>(List.of(0.0, 1.0));
        for (int i = 0; i < 7; i++) {
            int bounds = (1 << i + (signed ? 0 : 1)) + 1;
            double[] linspace = new double[bounds];
            for (int j = 0; j < bounds; j++) {
                linspace[j] = 0.1 + j * 0.9 / (bounds - 1);
            }
            for (int j = 0; j + 1 < bounds; j++) {
                double mean = Math.pow(10, i - 6) * (linspace[j] + linspace[j + 1]) / 2;
                all.add(mean);
                if (signed) {
                    all.add(-mean);
                }
            }
        }
        return all.stream().mapToDouble(x -> x).sorted().toArray();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theTableIsThePublishedOne(boolean signed) {
        double[] expected = published(signed);
        float[] found = values(code(signed));
        assertEquals(256, expected.length);
        for (int i = 0; i < 256; i++) {
            assertEquals(expected[i], found[i], 1e-7 * Math.abs(expected[i]), "value " + i);
        }
    }

    @ParameterizedTest
    @CsvSource({"true, -0.99296875, 0.99296875, 5.5e-7", "false, 0, 0.996484375, 3.25e-7"})
    void itsEndsAreThePublishedOnes(boolean signed, float first, float lastButOne, float smallest) {
        float[] found = values(code(signed));
        assertEquals(first, found[0], 1e-7);
        assertEquals(lastButOne, found[254], 1e-7);
        assertEquals(1, found[255]);
        assertEquals(smallest, found[signed ? 128 : 1], 1e-12);
    }

    private static List<Float> probes(boolean signed) {
        List<Float> probes = new ArrayList<>();
        float[] values = values(code(signed));
        for (int i = 0; i < 255; i++) {
            float middle = (float) (((double) values[i] + values[i + 1]) / 2);
            probes.addAll(List.of(values[i], Math.nextDown(middle), middle, Math.nextUp(middle)));
        }
        // Where the search by the upper half of the bits begins and ends.
        for (int half = 0; half <= Float.floatToIntBits(1) >>> 16; half++) {
            probes.add(Float.intBitsToFloat(half << 16));
            probes.add(Math.min(1, Float.intBitsToFloat(half << 16 | 0xffff)));
        }
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 20_000; i++) {
            probes.add((float) Math.pow(10, -8 * random.nextDouble()));
        }
        if (signed) {
            probes.addAll(probes.stream().map(x -> -x).toList());
        }
        return probes;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everyNumberIsMetByTheNearestValue(boolean signed) {
        float[] values = values(code(signed));
        for (float x : probes(signed)) {
            double nearest = Double.POSITIVE_INFINITY;
            for (float value : values) {
                nearest = Math.min(nearest, Math.abs((double) x - value));
            }
            assertEquals(nearest, Math.abs((double) x - values[encode(code(signed), x)]), "distance of " + x);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theErrorIsHalfAPartOfTheDecade(boolean signed) {
        float[] values = values(code(signed));
        for (float x : probes(signed)) {
            int decade = (int) Math.min(6, Math.floor(-Math.log10(Math.max(1e-9, Math.abs(x)))));
            int parts = (signed ? 64 : 128) >> decade;
            double bound = 0.45 / parts * Math.pow(10, -decade);
            double error = Math.abs((double) x - values[encode(code(signed), x)]);
            assertTrue(error <= bound * (1 + 1e-5), "%g is off by %g, more than %g".formatted(x, error, bound));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aValueIsItsOwnCode(boolean signed) {
        float[] values = values(code(signed));
        byte[] codes = new byte[256];
        code(signed).encode(values, codes, 256);
        float[] again = new float[256];
        code(signed).decode(codes, 1, again, 256);
        assertArrayEquals(values, again);
    }
}
