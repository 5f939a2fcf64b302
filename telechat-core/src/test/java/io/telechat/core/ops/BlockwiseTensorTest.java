// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Shape;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BlockwiseTensorTest {
    /** Of a number against the scale of its block, which is what the paper's code allows at most. */
    private static final double SIGNED_ERROR = 0.45 / 64;

    @ParameterizedTest
    @CsvSource({"0", "1", "1e-44", "1e-30", "3e38"})
    void blocksOfAnyMagnitudeComeBack(float largest) {
        try (HostArena host = new HostArena()) {
            BlockwiseTensor tensor = BlockwiseTensor.zeros(DynamicCode.SIGNED, Shape.of(20, 30), host);
            assertEquals(3, tensor.scales().shape().elements());
            float[] values = new float[256];
            for (int i = 0; i < values.length; i++) {
                values[i] = largest * ((i % 11 - 5) / 5f);
            }
            byte[] codes = new byte[256];
            float scale = tensor.encode(values.clone(), codes, 256);
            float[] back = new float[256];
            tensor.decode(codes, scale, back, 256);
            for (int i = 0; i < values.length; i++) {
                // Below the smallest normal number, floats themselves are this far apart.
                assertEquals(values[i], back[i], largest * SIGNED_ERROR * 1.00001 + Float.MIN_VALUE);
            }
        }
    }

    @Test
    void startsAsZeros() {
        try (HostArena host = new HostArena()) {
            BlockwiseTensor tensor = BlockwiseTensor.zeros(DynamicCode.SIGNED, Shape.of(300), host);
            float[] values = {1, 2, 3};
            tensor.decode(tensor.codes().segment().asSlice(0, 3).toArray(ValueLayout.JAVA_BYTE), 0, values, 3);
            for (float value : values) {
                assertEquals(0, value, 0.0);
            }
        }
    }
}
